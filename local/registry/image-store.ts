/** Images as the embedded ECR holds them, for whoever runs them. */

export interface Layer {
  readonly digest: string;
  readonly mediaType: string;
  /** The digest of the uncompressed tar, as the image's configuration promises it. */
  readonly diffId?: string;
  /** The blob on disk, as it was pushed (maybe compressed). */
  readonly path: string;
}

/** The image's configuration, in the OCI image spec's own member names. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Env?: readonly string[] | null;
  readonly WorkingDir?: string;
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
}

export interface PulledImage {
  readonly repository: string;
  /** Of the manifest that runs: for an index, that of the chosen platform. */
  readonly digest: string;
  readonly config: ImageConfig;
  readonly layers: readonly Layer[];
}

export interface ImageStore {
  /**
   * Resolves `HOST/repository@sha256:…` or `HOST/repository:tag` for this machine's platform (linux, this CPU).
   * Rejects with an `Error` fit for ECS's `stoppedReason`: `CannotPullContainerError: …` in AWS's words.
   */
  pull(imageUri: string): Promise<PulledImage>;
}
