/** What the caller has used this month, as a hook; it looks again after each answer. */
import type { Client, Remaining, Usage, UsageQuery } from '@prosa/core';
import { useCallback, useEffect, useState } from 'react';
import { useProsa } from './context.js';

export interface UseTokenUsage {
  readonly totalTokens: number;
  /** US dollars. */
  readonly cost: number;
  /** The same as an exact decimal. */
  readonly costExact: string;
  /** Questions and answers. */
  readonly messagesCount: number;
  /** What the limits leave; null until it is known. */
  readonly remaining: Remaining | null;
  /** All that the server tells; null until it is known. */
  readonly usage: Usage | null;
  /** True until it is known for the first time. */
  readonly loading: boolean;
  readonly error: Error | null;
  readonly refresh: () => void;
}

interface Known extends UsageQuery {
  readonly usage: Usage;
  readonly of: Client;
}

/** Answers that end together are looked at together. */
const TOGETHER_MS = 250;
const THIS_MONTH: UsageQuery = {};

/** `userId` is accepted for the host's convenience; whose usage this is is decided by the token. */
export function useTokenUsage(_userId?: string, period: UsageQuery = THIS_MONTH): UseTokenUsage {
  const { client } = useProsa();
  const { since, until } = period;
  const [known, setKnown] = useState<Known | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [asked, setAsked] = useState(0);
  const refresh = useCallback(() => setAsked(before => before + 1), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each asking is a new one
  useEffect(() => {
    const controller = new AbortController();
    client.getUsage({ since, until }, controller.signal).then(
      found => {
        if (controller.signal.aborted) return;
        setKnown({ usage: found, of: client, since, until });
        setError(null);
      },
      (cause: Error) => {
        if (!controller.signal.aborted) setError(cause);
      },
    );
    return () => controller.abort();
  }, [client, since, until, asked]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = client.watchEnds(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        refresh();
      }, TOGETHER_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [client, refresh]);

  // What was known of another caller or another time says nothing of this one.
  const isOf = known?.of === client && known.since === since && known.until === until;
  const usage = isOf ? known.usage : null;
  return {
    totalTokens: usage?.totalTokens ?? 0,
    cost: usage?.cost ?? 0,
    costExact: usage?.costExact ?? '0',
    messagesCount: usage?.messagesCount ?? 0,
    remaining: usage?.remaining ?? null,
    usage,
    loading: usage === null && error === null,
    error,
    refresh,
  };
}
