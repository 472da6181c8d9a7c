/** The dialogs of a chat, of which one at most is open. */
import { ConfirmDialog } from './ConfirmDialog.js';
import { useTexts } from './context.js';
import { ShortcutDialog } from './shortcuts/ShortcutDialog.js';
import { TemplateDialog } from './templates/TemplateDialog.js';
import type { UseChat } from './useChat.js';

export type Asking =
  | { readonly what: 'clear' | 'templates' | 'shortcuts' }
  | { readonly what: 'delete'; readonly messageId: string };

export interface AskingsProps {
  readonly asking: Asking | null;
  readonly chat: UseChat;
  readonly onClose: () => void;
}

export function Askings({ asking, chat, onClose }: AskingsProps) {
  const texts = useTexts();
  switch (asking?.what) {
    case 'templates':
      return <TemplateDialog onClose={onClose} />;
    case 'shortcuts':
      return <ShortcutDialog onClose={onClose} />;
    case 'clear':
      return (
        <ConfirmDialog
          title={texts.clearQuestion}
          warning={texts.clearWarning}
          name={texts.clearName}
          onConfirm={chat.clearMessages}
          onClose={onClose}
        />
      );
    case 'delete':
      return (
        <ConfirmDialog
          title={texts.deleteQuestion}
          warning={texts.deleteWarning}
          name={texts.remove}
          onConfirm={() => chat.deleteMessage(asking.messageId)}
          onClose={onClose}
        />
      );
    default:
      return null;
  }
}
