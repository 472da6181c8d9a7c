/** What the AI says of a ticket: brought when it is shown, from the cache or as it is written. */
import { Announcer } from './Announcer.js';
import { CopyButton } from './CopyButton.js';
import { useTexts } from './context.js';
import { Icon } from './Icon.js';
import { Markdown } from './Markdown.js';
import { type UseTicketOptions, useTicket } from './useTicket.js';

export type TicketAIChatProps = UseTicketOptions;

export function TicketAIChat(props: TicketAIChatProps) {
  const texts = useTexts();
  const { answer, cached, loading, reconnecting, error, retry, refresh } = useTicket(props);
  const isWhole = answer !== '' && !loading;
  return (
    <div className="ai-chat-container">
      {loading && (
        <div className="loader" role="status">
          {reconnecting ? texts.reconnecting : texts.ticketLoading}
        </div>
      )}
      {error && (
        <div className="error prosa-notice" role="alert">
          <Icon name="warning" />
          <p>{error.code === 'network' ? texts.network : error.message}</p>
          <button type="button" className="prosa-button" onClick={() => void retry()}>
            {texts.retry}
          </button>
        </div>
      )}
      {answer !== '' && (
        <div className="ai-response">
          <h3>{texts.ticketAnswer}</h3>
          <Markdown content={answer} growing={loading} />
        </div>
      )}
      {isWhole && (
        <footer className="prosa-ticket-actions">
          <CopyButton text={answer} label={texts.copy} />
          <button type="button" className="prosa-button" onClick={() => void refresh()}>
            {texts.ticketRefresh}
          </button>
          {cached && <span className="prosa-muted">{texts.ticketCached}</span>}
        </footer>
      )}
      <Announcer content={answer} writing={loading} />
    </div>
  );
}
