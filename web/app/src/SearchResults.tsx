/** What is found: conversations by their titles, and messages with what was looked for marked in them. */
import {
  type Conversation,
  type SearchHit,
  type SnippetPiece,
  useConversations,
  useProsa,
  useSearch,
} from '@prosa/react';
import { useMemo } from 'react';
import { More } from './More.js';
import { addressOf } from './route.js';
import { Skeletons } from './Skeletons.js';
import type { AppTexts } from './texts.js';

export interface SearchResultsProps {
  readonly texts: AppTexts;
  /** What is looked for; not empty. */
  readonly wanted: string;
  readonly bounds: { readonly from?: string; readonly to?: string };
  readonly shownMessage: string | null;
  readonly onChosen: () => void;
}

const TITLES = 5;

export function SearchResults({ texts, wanted, bounds, shownMessage, onChosen }: SearchResultsProps) {
  const query = useMemo(() => ({ q: wanted, ...bounds }), [wanted, bounds]);
  const hits = useSearch(query);
  const titled = useConversations(undefined, { ...query, archived: 'all' });
  if (hits.loading) return <Skeletons label={texts.searching} />;
  const titles = titled.conversations.slice(0, TITLES);
  const isNothing = hits.items.length === 0 && titles.length === 0 && !hits.busy && !hits.error;
  return (
    <div className="app-conversations app-found" aria-busy={hits.busy}>
      <p className="prosa-hidden" role="status">
        {hits.busy ? texts.searching : found(texts, hits.items.length + titles.length, hits.hasMore)}
      </p>
      {isNothing && <p className="app-note">{texts.foundNothing.replace('{words}', () => wanted)}</p>}
      {titles.length > 0 && <Titles texts={texts} items={titles} onChosen={onChosen} />}
      {hits.error && hits.items.length === 0 && (
        <div className="app-note" role="alert">
          <p>{hits.error.message}</p>
          <button type="button" className="prosa-button" onClick={() => void hits.refresh()}>
            {texts.retry}
          </button>
        </div>
      )}
      {hits.items.length > 0 && (
        <section aria-labelledby="found-messages">
          <h2 id="found-messages">{texts.foundMessages}</h2>
          <ul>
            {hits.items.map(hit => (
              <Hit
                key={hit.messageId}
                texts={texts}
                hit={hit}
                isShown={hit.messageId === shownMessage}
                onChosen={onChosen}
              />
            ))}
          </ul>
        </section>
      )}
      {hits.hasMore && <More texts={texts} pages={hits} />}
    </div>
  );
}

function found(texts: AppTexts, count: number, hasMore: boolean): string {
  return texts.foundCount.replace('{count}', () => `${count}${hasMore ? '+' : ''}`);
}

interface TitlesProps extends Pick<SearchResultsProps, 'texts' | 'onChosen'> {
  readonly items: readonly Conversation[];
}

function Titles({ texts, items, onChosen }: TitlesProps) {
  return (
    <section aria-labelledby="found-titles">
      <h2 id="found-titles">{texts.foundTitles}</h2>
      <ul>
        {items.map(({ id, title }) => (
          <li key={id} className="app-conversation">
            <a href={addressOf(id)} data-row={true} title={title ?? undefined} onClick={onChosen}>
              <span>{title}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface HitProps extends Pick<SearchResultsProps, 'texts' | 'onChosen'> {
  readonly hit: SearchHit;
  readonly isShown: boolean;
}

function Hit({ texts, hit, isShown, onChosen }: HitProps) {
  const { language } = useProsa();
  const day = new Date(hit.createdAt).toLocaleDateString(language, { dateStyle: 'medium' });
  return (
    <li className="app-conversation app-hit" data-shown={isShown}>
      <a
        href={addressOf(hit.conversationId, hit.messageId)}
        data-row={true}
        aria-current={isShown ? 'page' : undefined}
        onClick={onChosen}
      >
        <strong>{hit.title || texts.untitled}</strong>
        <Snippet pieces={hit.snippet} />
        <small>
          {hit.role === 'user' ? texts.byYou : texts.byAssistant} ·{' '}
          <time dateTime={hit.createdAt}>{day}</time>
        </small>
      </a>
    </li>
  );
}

function Snippet({ pieces }: { readonly pieces: readonly SnippetPiece[] }) {
  return (
    <span className="app-snippet">
      {pieces.map(({ text, hit }, index) =>
        // A snippet never changes.
        // biome-ignore lint/suspicious/noArrayIndexKey: the index is the piece's identity
        hit ? <mark key={index}>{text}</mark> : plain(text),
      )}
    </span>
  );
}

/** Without the signs of Markdown that are noise in two lines. */
function plain(text: string): string {
  return text.replace(/\*\*|```\w*|`|(^|\s)#{1,6}(?=\s)/g, '$1');
}
