/** What Fargate counts tasks by: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html#task_size */
export function vcpusOf({ cpu }: { readonly cpu?: string | undefined }): number {
  return Number(cpu ?? 0) / 1_024;
}

/** As in https://repost.aws/questions/QUmYO0T8YKQgG5zOMJQ7HsMw */
export const vcpuLimitReached =
  "You've reached the limit on the number of vCPUs you can run concurrently. For more information, see the " +
  'Troubleshooting section of the Amazon ECS Developer Guide.';
