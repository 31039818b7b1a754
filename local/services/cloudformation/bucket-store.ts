/** What CloudFormation needs of S3, which speaks a protocol of its own. */
export interface BucketStore {
  create(bucket: string): Promise<void>;
  delete(bucket: string): Promise<void>;
  /** The text of an object: templates, state machine definitions. */
  text(bucket: string, key: string): Promise<string>;
}
