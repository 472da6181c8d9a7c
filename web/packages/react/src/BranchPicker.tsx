/** Leads from one version of a message to the others. */
import type { ShownMessage } from '@prosa/core';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';

export interface BranchPickerProps {
  readonly message: ShownMessage;
  readonly disabled: boolean;
  readonly onShow: (messageId: string) => void;
}

export function BranchPicker({ message, disabled, onShow }: BranchPickerProps) {
  const texts = useTexts();
  const { siblings } = message;
  const at = siblings.indexOf(message.id);
  if (siblings.length < 2 || at === -1) return null;
  const step = (name: string, icon: 'left' | 'right', id: string | undefined) => (
    <button
      type="button"
      className="prosa-action"
      aria-label={name}
      title={name}
      disabled={disabled || id === undefined}
      onClick={() => id !== undefined && onShow(id)}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <span className="prosa-branches">
      {step(texts.previousBranch, 'left', siblings[at - 1])}
      <span>
        {at + 1}/{siblings.length}
      </span>
      {step(texts.nextBranch, 'right', siblings[at + 1])}
    </span>
  );
}
