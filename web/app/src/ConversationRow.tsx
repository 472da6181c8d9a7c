/** One conversation in the list: a link, and buttons to rename and delete it. */
import type { Conversation } from '@prosa/react';
import { memo, useState } from 'react';
import { Glyph } from './Glyph.js';
import { RenameField } from './RenameField.js';
import { addressOf } from './route.js';
import type { AppTexts } from './texts.js';

export interface ConversationRowProps {
  readonly texts: AppTexts;
  readonly conversation: Conversation;
  readonly isShown: boolean;
  readonly onChosen: () => void;
  readonly onRename: (id: string, title: string) => Promise<void>;
  readonly onDelete: (conversation: Conversation) => void;
}

export const ConversationRow = memo(function ConversationRow(props: ConversationRowProps) {
  const { texts, conversation, isShown, onChosen, onRename, onDelete } = props;
  const [isRenaming, setRenaming] = useState(false);
  const title = conversation.title || texts.untitled;
  if (isRenaming) {
    return (
      <li>
        <RenameField
          label={texts.renameLabel}
          title={conversation.title ?? ''}
          onRename={next => onRename(conversation.id, next)}
          onClose={() => setRenaming(false)}
        />
      </li>
    );
  }
  return (
    <li className="app-conversation" data-shown={isShown}>
      <a
        href={addressOf(conversation.id)}
        aria-current={isShown ? 'page' : undefined}
        title={title}
        onClick={onChosen}
      >
        {title}
      </a>
      <span className="app-conversation-actions">
        <button
          type="button"
          className="prosa-action"
          aria-label={`${texts.rename}: ${title}`}
          title={texts.rename}
          onClick={() => setRenaming(true)}
        >
          <Glyph name="rename" />
        </button>
        <button
          type="button"
          className="prosa-action"
          aria-label={`${texts.remove}: ${title}`}
          title={texts.remove}
          onClick={() => onDelete(conversation)}
        >
          <Glyph name="remove" />
        </button>
      </span>
    </li>
  );
});
