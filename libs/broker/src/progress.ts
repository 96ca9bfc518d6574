/** What is being done to get a server, for a progress display. */
export type InstallProgress =
  | { readonly phase: 'waiting'; readonly message: string }
  | {
      readonly phase: 'downloading';
      readonly message: string;
      readonly receivedBytes: number;
      readonly totalBytes?: number;
    }
  | { readonly phase: 'verifying'; readonly message: string }
  | { readonly phase: 'building'; readonly message: string }
  | { readonly phase: 'done'; readonly message: string };

export type OnProgress = (progress: InstallProgress) => void;
