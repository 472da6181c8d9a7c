/** Where the browser gets a file's content: from the server by the cookie, else as a copy fetched with the token. */
import { useEffect, useState } from 'react';
import { useProsa } from '../context.js';

export interface FileAddress {
  /** Null until it is there. */
  readonly address: string | null;
  readonly failed: boolean;
}

export function useFileAddress(id: string | null): FileAddress {
  const { client } = useProsa();
  const direct = id === null ? null : client.fileAddress(id);
  const [fetched, setFetched] = useState<FileAddress>({ address: null, failed: false });
  useEffect(() => {
    if (id === null || direct !== null) return;
    const controller = new AbortController();
    let made: string | null = null;
    client.readFile(id, controller.signal).then(
      blob => {
        if (controller.signal.aborted) return;
        made = URL.createObjectURL(blob);
        setFetched({ address: made, failed: false });
      },
      () => {
        if (!controller.signal.aborted) setFetched({ address: null, failed: true });
      },
    );
    return () => {
      controller.abort();
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [client, id, direct]);
  return direct === null ? fetched : { address: direct, failed: false };
}
