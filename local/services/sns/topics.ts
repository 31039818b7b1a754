export interface Publishing {
  readonly subject?: string;
  readonly byRole?: boolean;
}

/** How other embedded services (EventBridge, CloudWatch, Lambda) publish to topics. */
export interface Topics {
  /**
   * Publish, in the service's own name or a role's. Throws `AwsError('NotFoundException', …)` when there is no such topic,
   * `AwsError('KMSAccessDenied', …)` when its key is not for services.
   */
  publish(topicArn: string, message: string, options?: Publishing): void;
}
