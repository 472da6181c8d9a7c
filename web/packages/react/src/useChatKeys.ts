/** The keyboard shortcuts of a chat. */
import type { ShownMessage } from '@prosa/core';
import type { Asking } from './Askings.js';
import { useTexts } from './context.js';
import { copyText } from './copy.js';
import type { RowActions } from './MessageRow.js';
import type { Shortcut } from './shortcuts/shortcuts.js';
import { useShortcuts } from './shortcuts/useShortcuts.js';
import type { UseChat } from './useChat.js';

export interface ChatKeys {
  readonly chat: UseChat;
  readonly actions: RowActions;
  readonly say: (text: string) => void;
  readonly ask: (asking: Asking) => void;
  readonly chooseTemplate: (() => void) | undefined;
}

export function useChatKeys({ chat, actions, say, ask, chooseTemplate }: ChatKeys): void {
  const texts = useTexts();
  const { messages, run } = chat;
  const answer = messages.findLast(({ role, kind }) => role === 'assistant' && kind === 'message');
  const copy = async () => {
    if (answer) say((await copyText(answer.content)) ? texts.copiedAnswer : texts.notCopied);
  };
  const regenerate = () => {
    if (answer && !run) actions.regenerate(answer.id);
  };
  const turn = (step: 1 | -1) => () => {
    const id = neighbour(messages, step);
    if (id !== undefined && !run) actions.showBranch(id);
  };
  const listed = (keys: string, label: string): Shortcut => ({ keys, label, section: 'writing' });
  const here = (keys: string, label: string, action: () => void): Shortcut => ({
    keys,
    label,
    section: 'conversation',
    run: action,
  });
  useShortcuts([
    listed('Enter', texts.keySend),
    listed('shift+Enter', texts.keyBreak),
    listed('ArrowUp', texts.keyEditLast),
    listed('Escape', texts.keyStop),
    ...(chooseTemplate ? [listed('/', texts.keyTemplates)] : []),
    here('shift+Escape', texts.keyWrite, write),
    here('c', texts.keyCopy, () => void copy()),
    here('r', texts.keyRegenerate, regenerate),
    here('[', texts.previousBranch, turn(-1)),
    here(']', texts.nextBranch, turn(1)),
    ...(chooseTemplate ? [here('t', texts.useTemplate, chooseTemplate)] : []),
    { keys: '?', label: texts.keyHelp, section: 'page', run: () => ask({ what: 'shortcuts' }) },
  ]);
}

function write(): void {
  document.querySelector<HTMLElement>('.prosa-composer textarea')?.focus();
}

/** The version beside the last message that has several. */
function neighbour(messages: readonly ShownMessage[], step: 1 | -1): string | undefined {
  const message = messages.findLast(({ siblings }) => siblings.length > 1);
  return message?.siblings[message.siblings.indexOf(message.id) + step];
}
