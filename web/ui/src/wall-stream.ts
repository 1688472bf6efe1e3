// The kernel stream of a sandbox, as the wall needs it.

export interface Limits {
  memory: number;
  memory_low?: number;
  memory_high?: number;
}

export interface Process {
  pid: number;
  uid: number;
  command: string;
  rss: number;
  oom_score_adj: number;
}

/** A kill for want of memory. Size and score are about; a pid of 0 is not known. */
export interface Kill {
  count: number;
  at: string;
  pid: number;
  command: string;
  rss: number;
  score: number;
  limit: number;
}

export interface Sample {
  at: string;
  memory: { used: number; limit: number; cache: number; host_free: number };
  processes: Process[];
  cgroup: number;
  /** Milliseconds since 1970, and the bytes in use then without the cache. */
  trail: [number, number][];
  kills: Kill[];
}

const again = 3000; // ms until the next try, when the server closed the stream

/**
 * Opens the kernel stream of a sandbox and calls back for each sample and change of
 * limits, until the function that it returns is called.
 */
export function watch(id: string, sampled: (sample: Sample) => void, limited: (limits: Limits) => void): () => void {
  let source: EventSource;
  let timer = 0;
  const open = (): void => {
    source = new EventSource(`/api/v1/sandboxes/${id}/kernel`);
    source.addEventListener("sample", (event: MessageEvent<string>) => sampled(JSON.parse(event.data) as Sample));
    source.addEventListener("limits", (event: MessageEvent<string>) => limited(JSON.parse(event.data) as Limits));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) timer = window.setTimeout(open, again);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
