/** What stands under the conversation: the message that is being written, with all that can be done to it. */
import { type ReactNode, useRef, useState } from 'react';
import { ChatInput } from '../ChatInput.js';
import { useTexts } from '../context.js';
import { AttachmentStrip } from '../files/AttachmentStrip.js';
import type { UseAttachments } from '../files/useAttachments.js';
import { Icon } from '../Icon.js';
import { Menu, type MenuItem } from '../Menu.js';
import { TemplatePicker } from '../templates/TemplatePicker.js';
import type { UseChat } from '../useChat.js';
import type { Place } from '../usePlace.js';
import type { UseDraft } from './useDraft.js';

export interface ComposerProps {
  readonly chat: UseChat;
  readonly draft: UseDraft;
  /** Null where no files are taken. */
  readonly files: UseAttachments | null;
  readonly placeholder: string | undefined;
  readonly autoFocus: boolean;
  /** Opened and closed by whoever shows the composer, so that a key can open it, too. */
  readonly templates: {
    readonly isOpen: boolean;
    readonly setOpen: (isOpen: boolean) => void;
    readonly onManage: () => void;
  } | null;
  readonly menu: readonly MenuItem[];
  /** The choice of the model. */
  readonly models: ReactNode;
}

export function Composer(props: ComposerProps) {
  const { chat, draft, files, placeholder, autoFocus, templates } = props;
  const { run, error } = chat;
  const cannotOpen = error?.at === 'open';
  const [bySlash, setBySlash] = useState(false);
  const slash = () => {
    setBySlash(true);
    templates?.setOpen(true);
  };
  const insert = (text: string) => {
    templates?.setOpen(false);
    setBySlash(false);
    draft.insert(text);
  };
  const close = (isBack: boolean) => {
    // Whoever only wanted to write a slash gets it.
    if (isBack) insert(bySlash ? '/' : '');
    else templates?.setOpen(false);
    setBySlash(false);
  };
  return (
    <div className="prosa-writing">
      {templates?.isOpen && (
        <TemplatePicker
          onInsert={insert}
          onClose={close}
          onManage={() => {
            templates.setOpen(false);
            setBySlash(false);
            templates.onManage();
          }}
        />
      )}
      <ChatInput
        onSend={draft.send}
        disabled={chat.loading || cannotOpen || (files?.isUploading ?? false)}
        placeholder={placeholder}
        autoFocus={autoFocus}
        onStop={run ? () => void chat.stop() : undefined}
        stopping={run?.stopping ?? false}
        draft={draft.draft}
        onRecall={draft.editLast}
        onSlash={templates ? slash : undefined}
        onFiles={files?.add}
        laden={(files?.attachments.length ?? 0) > 0}
        above={files && <AttachmentStrip attachments={files} />}
        tools={<Tools {...props} />}
      />
    </div>
  );
}

const ABOVE: Place = { side: 'above', edge: 'right' };

function Tools({ files, templates, menu, models }: ComposerProps) {
  const texts = useTexts();
  return (
    <>
      {files && <AttachButton onFiles={files.add} />}
      {templates && (
        <button
          type="button"
          className="prosa-action"
          aria-label={texts.useTemplate}
          title={texts.useTemplate}
          aria-haspopup="dialog"
          aria-expanded={templates.isOpen}
          // A press outside closes the list; this one is not outside.
          onPointerDown={event => event.stopPropagation()}
          onClick={() => templates.setOpen(!templates.isOpen)}
        >
          <Icon name="template" />
        </button>
      )}
      {models}
      <span className="prosa-gap" />
      <Menu label={texts.more} items={menu} place={ABOVE} />
    </>
  );
}

function AttachButton({ onFiles }: { readonly onFiles: (files: Iterable<File>) => void }) {
  const texts = useTexts();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className="prosa-action"
        aria-label={texts.attach}
        title={texts.attach}
        onClick={() => input.current?.click()}
      >
        <Icon name="plus" />
      </button>
      <input
        ref={input}
        type="file"
        multiple={true}
        hidden={true}
        tabIndex={-1}
        aria-hidden="true"
        onChange={event => {
          onFiles([...(event.target.files ?? [])]);
          // The same file can be chosen again after it was taken out.
          event.target.value = '';
        }}
      />
    </>
  );
}
