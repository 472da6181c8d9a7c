/** The conversations, pinned ones first, then by day; or what stands in their place: skeletons, an error, a word. */
import type { Conversation } from '@prosa/react';
import { useMemo } from 'react';
import { ConversationRow, type RowActions } from './ConversationRow.js';
import { More } from './More.js';
import { groupByPeriod } from './periods.js';
import { Skeletons } from './Skeletons.js';
import type { AppTexts } from './texts.js';
import type { Lists } from './useLists.js';

export interface ConversationListProps {
  readonly texts: AppTexts;
  readonly lists: Lists;
  readonly shown: string | null;
  readonly actions: RowActions;
  /** Where filters narrow the list, its being empty means something else. */
  readonly onNoFilters: (() => void) | null;
}

export function ConversationList({ texts, lists, shown, actions, onNoFilters }: ConversationListProps) {
  const { pinned, others, refresh } = lists;
  const groups = useMemo(() => groupByPeriod(others.conversations, new Date()), [others.conversations]);
  if (others.loading) return <Skeletons label={texts.loading} />;
  const isEmpty = lists.all.length === 0 && !others.busy;
  const rows = { texts, shown, actions };
  return (
    <div className="app-conversations" aria-busy={others.busy}>
      {others.error && lists.all.length === 0 ? (
        <Failed texts={texts} onRetry={() => void refresh()} />
      ) : (
        isEmpty && <Empty texts={texts} onNoFilters={onNoFilters} />
      )}
      {pinned.conversations.length > 0 && (
        <Group id="pinned" name={texts.pinned} items={pinned.conversations} {...rows} />
      )}
      {pinned.hasMore && <More texts={texts} pages={pinned} />}
      {groups.map(({ period, items }) => (
        <Group key={period} id={period} name={texts[period]} items={items} {...rows} />
      ))}
      {others.hasMore && <More texts={texts} pages={others} />}
    </div>
  );
}

interface GroupProps extends Pick<ConversationListProps, 'texts' | 'shown' | 'actions'> {
  readonly id: string;
  readonly name: string;
  readonly items: readonly Conversation[];
}

function Group({ id, name, items, texts, shown, actions }: GroupProps) {
  return (
    <section aria-labelledby={`period-${id}`}>
      <h2 id={`period-${id}`}>{name}</h2>
      <ul>
        {items.map(conversation => (
          <ConversationRow
            key={conversation.id}
            texts={texts}
            conversation={conversation}
            isShown={conversation.id === shown}
            actions={actions}
          />
        ))}
      </ul>
    </section>
  );
}

function Failed({ texts, onRetry }: { readonly texts: AppTexts; readonly onRetry: () => void }) {
  return (
    <div className="app-note" role="alert">
      <p>{texts.listFailed}</p>
      <button type="button" className="prosa-button" onClick={onRetry}>
        {texts.retry}
      </button>
    </div>
  );
}

function Empty({ texts, onNoFilters }: Pick<ConversationListProps, 'texts' | 'onNoFilters'>) {
  return (
    <div className="app-note">
      <p>{onNoFilters ? texts.noneFiltered : texts.none}</p>
      {onNoFilters && (
        <button type="button" className="prosa-button" onClick={onNoFilters}>
          {texts.noFilters}
        </button>
      )}
    </div>
  );
}
