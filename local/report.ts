/** One line about what runs now. The CLI shows it beside the running task, or as a plain line without a terminal. */
export type Report = (line: string) => void;

/** For callers that show nothing. */
export const silent: Report = () => undefined;
