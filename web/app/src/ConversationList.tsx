/** The conversations by day, or what stands in their place: skeletons, an error, a word of welcome. */
import type { Conversation, UseConversations } from '@prosa/react';
import { ConversationRow } from './ConversationRow.js';
import { groupByPeriod } from './periods.js';
import type { AppTexts } from './texts.js';

export interface ConversationListProps {
  readonly texts: AppTexts;
  readonly list: UseConversations;
  readonly shown: string | null;
  readonly onChosen: () => void;
  readonly onDelete: (conversation: Conversation) => void;
}

export function ConversationList({ texts, list, shown, onChosen, onDelete }: ConversationListProps) {
  const { conversations, loading, error, hasMore, loadMore, refresh, renameConversation } = list;
  if (loading) return <Skeletons label={texts.loading} />;
  return (
    <div className="app-conversations">
      {error && (
        <div className="app-note" role="alert">
          <p>{texts.listFailed}</p>
          <button type="button" className="prosa-button" onClick={() => void refresh()}>
            {texts.retry}
          </button>
        </div>
      )}
      {!error && conversations.length === 0 && <p className="app-note">{texts.none}</p>}
      {groupByPeriod(conversations, new Date()).map(({ period, items }) => (
        <section key={period} aria-labelledby={`period-${period}`}>
          <h2 id={`period-${period}`}>{texts[period]}</h2>
          <ul>
            {items.map(conversation => (
              <ConversationRow
                key={conversation.id}
                texts={texts}
                conversation={conversation}
                isShown={conversation.id === shown}
                onChosen={onChosen}
                onRename={renameConversation}
                onDelete={onDelete}
              />
            ))}
          </ul>
        </section>
      ))}
      {hasMore && (
        <button type="button" className="prosa-button app-more" onClick={() => void loadMore()}>
          {texts.more}
        </button>
      )}
    </div>
  );
}

function Skeletons({ label }: { readonly label: string }) {
  return (
    <div className="app-conversations app-skeletons" role="status">
      <span className="prosa-hidden">{label}</span>
      <i />
      <i />
      <i />
      <i />
      <i />
    </div>
  );
}
