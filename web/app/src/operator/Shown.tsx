/** What was asked for, once it is there; until then its shape, and what to do where it can't be had. */
import type { ReactNode } from 'react';
import { Skeletons } from '../Skeletons.js';
import type { OperatorTexts } from './texts.js';
import type { Asked } from './useAsked.js';

export interface ShownProps<T> {
  readonly texts: OperatorTexts;
  readonly asked: Asked<T>;
  readonly children: (value: T) => ReactNode;
}

export function Shown<T>({ texts, asked, children }: ShownProps<T>) {
  const { value, error, refresh } = asked;
  return (
    <>
      {error && <Failure texts={texts} error={error} onRetry={refresh} />}
      {value === null ? !error && <Skeletons label={texts.loading} /> : children(value)}
    </>
  );
}

interface FailureProps {
  readonly texts: OperatorTexts;
  readonly error: { readonly code?: string; readonly status?: number; readonly message: string };
  readonly onRetry: () => void;
}

export function Failure({ texts, error, onRetry }: FailureProps) {
  // Where a route is missing; that there is no such run is another thing.
  const isMissing = error.code === 'not_found' || error.status === 405 || error.status === 501;
  return (
    <div className="app-note" role="alert">
      <p>{isMissing ? texts.notHere : error.message}</p>
      {!isMissing && (
        <button type="button" className="prosa-button" onClick={onRetry}>
          {texts.retry}
        </button>
      )}
    </div>
  );
}
