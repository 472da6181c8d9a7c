/** The foot of a chat: how things stand in a line, and under it the composer. */
import { useMemo } from 'react';
import type { Asking } from '../Askings.js';
import type { ChatInterfaceProps } from '../ChatInterface.js';
import { useTexts } from '../context.js';
import type { UseAttachments } from '../files/useAttachments.js';
import { Icon } from '../Icon.js';
import type { MenuItem } from '../Menu.js';
import { RunWaits } from '../RunProgress.js';
import { StatusLine } from '../StatusLine.js';
import type { UseChat } from '../useChat.js';
import { useModels } from '../useModels.js';
import { Composer } from './Composer.js';
import { answering, Models, objection } from './Models.js';
import type { UseDraft } from './useDraft.js';

export interface FootProps {
  readonly options: ChatInterfaceProps;
  readonly chat: UseChat;
  readonly draft: UseDraft;
  readonly files: UseAttachments;
  /** What was just done. */
  readonly said: string;
  readonly ask: (asking: Asking) => void;
  /** Whether a template is being chosen. */
  readonly isChoosing: boolean;
  readonly setChoosing: (isChoosing: boolean) => void;
}

export function Foot(props: FootProps) {
  const { options, chat, draft, files, said, ask, isChoosing, setChoosing } = props;
  const { modelPicker = false, attachments = true, templates = true, provider, model } = options;
  const texts = useTexts();
  const list = useModels(modelPicker);
  const choice = { chat, list, provider, model };
  const menu = useMenu(ask, templates, chat.messages.length === 0);
  const warning = objection(answering(choice), files.files, texts);
  const isClosed = chat.conversation?.status === 'closed';
  return (
    <div className="prosa-foot">
      <StatusLine link={chat.link} said={said} />
      {chat.run && <RunWaits run={chat.run} />}
      <div aria-live="polite">{warning && <p className="prosa-waits">{warning}</p>}</div>
      {draft.isEditing && <Editing onCancel={draft.cancel} />}
      {isClosed ? (
        <p className="prosa-muted">{texts.closed}</p>
      ) : (
        <Composer
          chat={chat}
          draft={draft}
          files={attachments ? files : null}
          placeholder={options.placeholder}
          autoFocus={options.autoFocus ?? false}
          templates={
            templates
              ? { isOpen: isChoosing, setOpen: setChoosing, onManage: () => ask({ what: 'templates' }) }
              : null
          }
          menu={menu}
          models={modelPicker && <Models {...choice} />}
        />
      )}
    </div>
  );
}

function Editing({ onCancel }: { readonly onCancel: () => void }) {
  const texts = useTexts();
  return (
    <p className="prosa-editing">
      <span>{texts.editing}</span>
      <button type="button" className="prosa-button" onClick={onCancel}>
        {texts.cancel}
      </button>
    </p>
  );
}

function useMenu(
  ask: (asking: Asking) => void,
  hasTemplates: boolean,
  isEmpty: boolean,
): readonly MenuItem[] {
  const texts = useTexts();
  return useMemo(
    () => [
      ...(hasTemplates
        ? [
            {
              name: texts.manageTemplates,
              icon: <Icon name="template" />,
              onChoose: () => ask({ what: 'templates' }),
            },
          ]
        : []),
      { name: texts.shortcuts, icon: <Icon name="keyboard" />, onChoose: () => ask({ what: 'shortcuts' }) },
      {
        name: texts.clear,
        icon: <Icon name="remove" />,
        disabled: isEmpty,
        onChoose: () => ask({ what: 'clear' }),
      },
    ],
    [texts, ask, hasTemplates, isEmpty],
  );
}
