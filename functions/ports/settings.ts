/** Where infrastructure code says what a service is. */
export interface Settings {
  /** The document as it is stored, unparsed; undefined when no service of that name was declared. */
  read(service: string): Promise<unknown>;
  /** Names of all services that are declared. */
  list(): Promise<readonly string[]>;
}
