/** One conversation in the list: a link, and a menu of what can be done with it. */
import { type Conversation, type ConversationChange, Menu, type MenuItem } from '@prosa/react';
import { type KeyboardEvent, memo, useRef, useState } from 'react';
import { Glyph } from './Glyph.js';
import { RenameField } from './RenameField.js';
import { addressOf } from './route.js';
import type { AppTexts } from './texts.js';

/** What can be done with a conversation; the same object as long as the page lives. */
export interface RowActions {
  readonly chosen: () => void;
  readonly rename: (id: string, title: string) => Promise<void>;
  /** Changes it and says so, or says that it could not. */
  readonly change: (conversation: Conversation, change: ConversationChange) => void;
  readonly exportOne: (conversation: Conversation) => void;
  readonly remove: (conversation: Conversation) => void;
}

export interface ConversationRowProps {
  readonly texts: AppTexts;
  readonly conversation: Conversation;
  readonly isShown: boolean;
  readonly actions: RowActions;
}

export const ConversationRow = memo(function ConversationRow(props: ConversationRowProps) {
  const { texts, conversation, isShown, actions } = props;
  const [isRenaming, setRenaming] = useState(false);
  const row = useRef<HTMLLIElement>(null);
  const title = conversation.title || texts.untitled;
  const rename = () => setRenaming(true);
  const renamed = () => {
    setRenaming(false);
    // The field is gone; the focus goes back to where it came from.
    requestAnimationFrame(() => row.current?.querySelector('a')?.focus());
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'F2') rename();
    else if (event.key === 'Delete') actions.remove(conversation);
    else return;
    event.preventDefault();
  };
  return (
    <li ref={row} className="app-conversation" data-shown={isShown}>
      {isRenaming ? (
        <RenameField
          label={texts.renameLabel}
          title={conversation.title ?? ''}
          onRename={next => actions.rename(conversation.id, next)}
          onClose={renamed}
        />
      ) : (
        <>
          <a
            href={addressOf(conversation.id)}
            data-row={true}
            aria-current={isShown ? 'page' : undefined}
            title={title}
            onClick={actions.chosen}
            onKeyDown={pressed}
          >
            <span>{title}</span>
            <Marks texts={texts} conversation={conversation} />
          </a>
          <Menu
            label={texts.moreOf.replace('{title}', () => title)}
            icon={<Glyph name="more" />}
            items={itemsOf(props, rename)}
          />
        </>
      )}
    </li>
  );
});

function Marks({ texts, conversation }: Pick<ConversationRowProps, 'texts' | 'conversation'>) {
  return (
    <>
      {conversation.status === 'closed' && <Mark name={texts.statusClosed} glyph="lock" />}
      {conversation.archived && <Mark name={texts.archivedMark} glyph="archive" />}
    </>
  );
}

function Mark({ name, glyph }: { readonly name: string; readonly glyph: 'lock' | 'archive' }) {
  return (
    <span className="app-mark" title={name}>
      <Glyph name={glyph} />
      <span className="prosa-hidden">{name}</span>
    </span>
  );
}

function itemsOf(
  { texts, conversation, actions }: ConversationRowProps,
  rename: () => void,
): readonly MenuItem[] {
  const { pinned, archived, status } = conversation;
  const change = (change: ConversationChange) => () => actions.change(conversation, change);
  return [
    {
      name: pinned ? texts.unpin : texts.pin,
      icon: <Glyph name="pin" />,
      onChoose: change({ pinned: !pinned }),
    },
    { name: texts.rename, icon: <Glyph name="rename" />, onChoose: rename },
    status === 'open'
      ? { name: texts.close, icon: <Glyph name="lock" />, onChoose: change({ status: 'closed' }) }
      : { name: texts.reopen, icon: <Glyph name="unlock" />, onChoose: change({ status: 'open' }) },
    archived
      ? { name: texts.unarchive, icon: <Glyph name="restore" />, onChoose: change({ archived: false }) }
      : { name: texts.archive, icon: <Glyph name="archive" />, onChoose: change({ archived: true }) },
    {
      name: texts.exportOne,
      icon: <Glyph name="export" />,
      onChoose: () => actions.exportOne(conversation),
    },
    {
      name: texts.remove,
      icon: <Glyph name="remove" />,
      dangerous: true,
      onChoose: () => actions.remove(conversation),
    },
  ];
}
