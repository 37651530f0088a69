/** What runs a database in the cluster. */
export class DatabaseBackend {
  /** StatefulSets of the library's own: no operator has to be in the cluster. A replica is promoted by hand. */
  public static statefulSet(): DatabaseBackend {
    return new DatabaseBackend('statefulSet');
  }

  // The private field makes the class nominal: a plain object is no back end.
  private constructor(private readonly kind: 'statefulSet') {}

  /** For readers and for messages. */
  public toString(): string {
    return this.kind;
  }
}
