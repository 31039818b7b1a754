/** How other embedded services (EventBridge, CloudWatch) publish to topics. */
export interface Topics {
  /** Publish. Throws `AwsError('NotFoundException', …)` when there is no such topic. */
  publish(topicArn: string, message: string, options?: { subject?: string }): void;
}
