/** The prompt templates as a hook: listed, made, changed, deleted. */
import type { NewTemplate, Template, TemplateChange } from '@prosa/core';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useProsa } from '../context.js';

export interface UseTemplates {
  /** Null until they are known. */
  readonly templates: readonly Template[] | null;
  readonly error: Error | null;
  readonly refresh: () => void;
  readonly createTemplate: (given: NewTemplate) => Promise<Template>;
  readonly updateTemplate: (id: string, change: TemplateChange) => Promise<Template>;
  readonly deleteTemplate: (id: string) => Promise<void>;
}

export function useTemplates(): UseTemplates {
  const { client } = useProsa();
  const [templates, setTemplates] = useState<readonly Template[] | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [asked, setAsked] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each asking is a new one
  useEffect(() => {
    const controller = new AbortController();
    client.listTemplates(controller.signal).then(
      ({ items }) => {
        setTemplates(items);
        setError(null);
      },
      (cause: Error) => {
        if (!controller.signal.aborted) setError(cause);
      },
    );
    return () => controller.abort();
  }, [client, asked]);

  const refresh = useCallback(() => setAsked(before => before + 1), []);
  const actions = useMemo(
    () => ({
      createTemplate: async (given: NewTemplate) => {
        const made = await client.createTemplate(given);
        setTemplates(before => [made, ...(before ?? [])]);
        return made;
      },
      updateTemplate: async (id: string, change: TemplateChange) => {
        const changed = await client.updateTemplate(id, change);
        setTemplates(before => (before ?? []).map(each => (each.id === id ? changed : each)));
        return changed;
      },
      deleteTemplate: async (id: string) => {
        await client.deleteTemplate(id);
        setTemplates(before => (before ?? []).filter(each => each.id !== id));
      },
    }),
    [client],
  );
  return { ...actions, templates, error, refresh };
}
