/** Where dashboards get their figures; the same id in every environment. */
export const PROMETHEUS = { type: 'prometheus', uid: 'prometheus' } as const;
const LOKI = { type: 'loki', uid: 'loki' } as const;
const ALERTMANAGER = { type: 'alertmanager', uid: 'alertmanager' } as const;

/** Addresses of what Grafana shows. */
export interface Sources {
  readonly prometheus: string;
  readonly alertmanager: string;
  /** Nothing where there is none. */
  readonly loki: string | undefined;
  /** Seconds between two scrapes, below which no range makes sense. */
  readonly scrapeSeconds: number;
}

/** The provisioning file of Grafana's data sources. Nobody edits them there: the next start would undo it. */
export const dataSources = ({ prometheus, alertmanager, loki, scrapeSeconds }: Sources): object => ({
  apiVersion: 1,
  datasources: [
    {
      ...{ name: 'Prometheus', ...PROMETHEUS, url: prometheus, isDefault: true },
      ...{ access: 'proxy', editable: false },
      jsonData: { timeInterval: `${scrapeSeconds}s`, httpMethod: 'POST', alertmanagerUid: ALERTMANAGER.uid },
    },
    {
      ...{ name: 'Alertmanager', ...ALERTMANAGER, url: alertmanager },
      ...{ access: 'proxy', editable: false },
      jsonData: { implementation: 'prometheus' },
    },
    ...(loki === undefined
      ? []
      : [{ name: 'Loki', ...LOKI, url: loki, access: 'proxy', editable: false, jsonData: { maxLines: 1000 } }]),
  ],
});
