/** Branches of conversations, as a hook for pages that do not show the conversation themselves. */
import { asChatError, type Branch, branch, type ChatError, type NewBranch } from '@prosa/core';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useProsa } from './context.js';

export interface UseConversationBranching {
  /**
   * Sends another version of `fromMessageId` where that is a message of the user's, else a message under it, and
   * resolves with it and its answer. The branch becomes the one that is shown, in every window at once. Rejects with a ChatError.
   */
  readonly createBranch: (given: NewBranch) => Promise<Branch>;
  /** True while an answer in a branch is awaited. */
  readonly loading: boolean;
  readonly error: ChatError | null;
}

export function useConversationBranching(): UseConversationBranching {
  const { client } = useProsa();
  const [pending, setPending] = useState(0);
  const [error, setError] = useState<ChatError | null>(null);
  const controller = useRef<AbortController | null>(null);
  // The run goes on in the server; only the waiting for it ends here.
  useEffect(() => () => controller.current?.abort(), []);

  const createBranch = useCallback(
    async (given: NewBranch) => {
      controller.current = controller.current?.signal.aborted
        ? new AbortController()
        : (controller.current ?? new AbortController());
      setPending(count => count + 1);
      setError(null);
      try {
        return await branch(client, given, {}, controller.current.signal);
      } catch (cause) {
        const failure = asChatError(cause);
        setError(failure);
        throw failure;
      } finally {
        setPending(count => count - 1);
      }
    },
    [client],
  );
  return { createBranch, loading: pending > 0, error };
}
