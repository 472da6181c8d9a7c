/** A list that comes in pages: as far as it is known, where it goes on, and what to do where it can't be had. */
import type { Pages } from '@prosa/react';
import { More } from '../More.js';
import { Skeletons } from '../Skeletons.js';
import { appTexts } from '../texts.js';
import { Failure } from './Shown.js';
import type { SectionProps } from './sections.js';
import { Table, type TableProps } from './Table.js';

export interface ListedProps<T>
  extends Pick<SectionProps, 'texts' | 'language'>,
    Omit<TableProps<T>, 'rows'> {
  readonly pages: Pages<T>;
}

export function Listed<T>({ texts, language, pages, ...table }: ListedProps<T>) {
  const { items, error, loading, refresh, hasMore } = pages;
  return (
    <>
      {error && <Failure texts={texts} error={error} onRetry={() => void refresh()} />}
      {loading ? (
        <Skeletons label={texts.loading} />
      ) : (
        !(error && items.length === 0) && <Table {...table} rows={items} />
      )}
      {hasMore && !error && <More texts={appTexts(language)} pages={pages} />}
    </>
  );
}
