/** The models that can be asked for, as a hook. */
import type { Model } from '@prosa/core';
import { useCallback, useEffect, useState } from 'react';
import { useProsa } from './context.js';
import { useRetrying } from './useRetrying.js';

export interface UseModels {
  /** Those that answer in words; null until they are known. */
  readonly models: readonly Model[] | null;
  readonly error: Error | null;
  readonly refresh: () => void;
}

/** With `wanted` false nothing is asked for. */
export function useModels(wanted = true): UseModels {
  const { client } = useProsa();
  const [models, setModels] = useState<readonly Model[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [asked, setAsked] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each asking is a new one
  useEffect(() => {
    if (!wanted) return;
    const controller = new AbortController();
    client.listModels(controller.signal).then(
      ({ items }) => {
        setModels(items.filter(isSpeaker));
        setError(null);
      },
      (cause: Error) => {
        if (!controller.signal.aborted) setError(cause);
      },
    );
    return () => controller.abort();
  }, [client, asked, wanted]);

  const refresh = useCallback(() => setAsked(before => before + 1), []);
  useRetrying(error, refresh);
  return { models, error, refresh };
}

/** Some models only turn text into vectors. */
function isSpeaker({ capabilities }: Model): boolean {
  return !capabilities.includes('embeddings');
}
