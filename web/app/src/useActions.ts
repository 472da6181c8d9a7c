/** What can be done with the conversations of the list, and what is said of it. */
import { type Conversation, type ConversationChange, useLatest } from '@prosa/react';
import { useMemo, useState } from 'react';
import type { RowActions } from './ConversationRow.js';
import type { Said } from './Notice.js';
import type { AppTexts } from './texts.js';
import type { Lists } from './useLists.js';

export interface Asked {
  readonly onChosen: () => void;
  readonly onExport: (conversation: Conversation) => void;
  readonly onRemove: (conversation: Conversation) => void;
}

export interface Actions {
  readonly rows: RowActions;
  readonly said: Said | null;
  readonly forget: () => void;
}

export function useActions(texts: AppTexts, lists: Lists, asked: Asked): Actions {
  const [said, setSaid] = useState<Said | null>(null);
  const latest = useLatest(asked);
  const { update } = lists;
  const rows = useMemo<RowActions>(() => {
    const change = async (conversation: Conversation, wanted: ConversationChange, isUndo = false) => {
      try {
        await update(conversation.id, wanted);
        const undo = () => void change(conversation, undoOf(conversation, wanted), true);
        const text = isUndo ? null : saidOf(texts, wanted);
        setSaid(text === null ? null : { text, isFailure: false, action: { name: texts.undo, run: undo } });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        const run = () => void change(conversation, wanted, isUndo);
        setSaid({ text, isFailure: true, action: { name: texts.retry, run } });
      }
    };
    return {
      chosen: () => latest.current.onChosen(),
      rename: async (id, title) => void (await update(id, { title })),
      change: (conversation, wanted) => void change(conversation, wanted),
      exportOne: conversation => latest.current.onExport(conversation),
      remove: conversation => latest.current.onRemove(conversation),
    };
  }, [texts, update, latest]);
  return { rows, said, forget: useMemo(() => () => setSaid(null), []) };
}

/** What it was before. */
function undoOf(conversation: Conversation, change: ConversationChange): ConversationChange {
  const names = Object.keys(change) as (keyof ConversationChange & keyof Conversation)[];
  return Object.fromEntries(names.map(name => [name, conversation[name]]));
}

/** A pinned conversation is seen to be pinned; what leaves the sight is told. */
function saidOf(texts: AppTexts, { archived, status }: ConversationChange): string | null {
  if (archived !== undefined) return archived ? texts.archivedNow : texts.unarchivedNow;
  if (status !== undefined) return status === 'closed' ? texts.closedNow : texts.reopenedNow;
  return null;
}
