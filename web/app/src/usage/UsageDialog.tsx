/** What somebody has used this month, and what is left: loaded only when it is asked for. */
import './usage.css';
import { Dialog, type Usage, useProsa, useTokenUsage } from '@prosa/react';
import { DownloadLink } from '../operator/DownloadLink.js';
import { money, number } from '../operator/figures.js';
import { type UsageTexts, usageTexts } from './texts.js';

export default function UsageDialog({ onClose }: { readonly onClose: () => void }) {
  const { client, language } = useProsa();
  const texts = usageTexts(language);
  const { usage, loading, error, refresh } = useTokenUsage();
  return (
    <Dialog title={texts.title} onClose={onClose}>
      {error && (
        <div role="alert">
          <p>{error.message}</p>
          <button type="button" className="prosa-button" onClick={refresh}>
            {texts.retry}
          </button>
        </div>
      )}
      {loading && <p className="prosa-muted">{texts.loading}</p>}
      {usage && (
        <>
          <Figures texts={texts} language={language} usage={usage} />
          <Models texts={texts} language={language} usage={usage} />
          <DownloadLink
            client={client}
            path="api/usage"
            query={() => ({ format: 'csv' })}
            file="prosa-usage.csv"
            name={texts.csv}
          />
        </>
      )}
    </Dialog>
  );
}

interface Shown {
  readonly texts: UsageTexts;
  readonly language: string;
  readonly usage: Usage;
}

function Figures({ texts, language, usage }: Shown) {
  const { remaining } = usage;
  const figures = [
    [texts.cost, money(usage.costExact, language)],
    [texts.tokens, number(usage.totalTokens, language)],
    [texts.messages, number(usage.messagesCount, language)],
    ...(remaining.tokens === null ? [] : [[texts.tokensLeft, number(remaining.tokens, language)]]),
    ...(remaining.cost === null ? [] : [[texts.costLeft, money(remaining.cost, language)]]),
  ];
  const remarks = [
    [usage.unpriced, texts.unpriced],
    [usage.estimated, texts.estimated],
  ] as const;
  return (
    <>
      <dl className="usage-figures">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {remarks.map(
        ([count, text]) =>
          count > 0 && (
            <p key={text} className="prosa-muted">
              {text.replace('{count}', () => number(count, language))}
            </p>
          ),
      )}
    </>
  );
}

function Models({ texts, language, usage }: Shown) {
  if (usage.models.length === 0) return <p className="prosa-muted">{texts.nothing}</p>;
  return (
    <table className="usage-models">
      <caption>{texts.byModel}</caption>
      <thead>
        <tr>
          <th scope="col">{texts.model}</th>
          <th scope="col">{texts.tokens}</th>
          <th scope="col">{texts.cost}</th>
        </tr>
      </thead>
      <tbody>
        {usage.models.map(({ provider, model, totalTokens, costExact }) => (
          <tr key={`${provider}/${model}`}>
            <th scope="row">{`${provider}/${model}`}</th>
            <td>{number(totalTokens, language)}</td>
            <td title={`${costExact} USD`}>{money(costExact, language)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
