/** One transfer at a time: how far it has come, what it brought, or what went wrong. */
import { useCallback, useEffect, useRef, useState } from 'react';

export type TransferState<P, R> =
  | { readonly is: 'idle' }
  | { readonly is: 'running'; readonly progress: P | null }
  | { readonly is: 'done'; readonly result: R }
  | { readonly is: 'failed'; readonly message: string };

type Work<P, R> = (onProgress: (progress: P) => void, signal: AbortSignal) => Promise<R>;

export interface UseTransfer<P, R> {
  readonly state: TransferState<P, R>;
  readonly start: (work: Work<P, R>) => Promise<void>;
  /** Breaks it off, or forgets how it ended. */
  readonly reset: () => void;
}

export function useTransfer<P, R>(onBusy: (isBusy: boolean) => void): UseTransfer<P, R> {
  const [state, setState] = useState<TransferState<P, R>>({ is: 'idle' });
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(), []);
  const isRunning = state.is === 'running';
  useEffect(() => onBusy(isRunning), [isRunning, onBusy]);

  const start = useCallback(async (work: Work<P, R>) => {
    const mine = new AbortController();
    controller.current?.abort();
    controller.current = mine;
    const set = (next: TransferState<P, R>) => {
      if (!mine.signal.aborted) setState(next);
    };
    set({ is: 'running', progress: null });
    try {
      const result = await work(progress => set({ is: 'running', progress }), mine.signal);
      set({ is: 'done', result });
    } catch (error) {
      set({ is: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }, []);
  const reset = useCallback(() => {
    controller.current?.abort();
    setState({ is: 'idle' });
  }, []);
  return { state, start, reset };
}
