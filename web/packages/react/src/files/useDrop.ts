/** Takes files that are dragged over the conversation and dropped there. */
import { type DragEvent, useMemo, useRef, useState } from 'react';
import { useLatest } from '../useLatest.js';

export interface Drop {
  /** True while files are held over the conversation. */
  readonly isOver: boolean;
  readonly handlers: {
    readonly onDragEnter: (event: DragEvent) => void;
    readonly onDragOver: (event: DragEvent) => void;
    readonly onDragLeave: (event: DragEvent) => void;
    readonly onDrop: (event: DragEvent) => void;
  };
}

export function useDrop(take: ((files: Iterable<File>) => void) | null): Drop {
  const latest = useLatest(take);
  const [isOver, setOver] = useState(false);
  // Each element inside tells of being entered and left, too.
  const depth = useRef(0);
  const handlers = useMemo(() => {
    const isWanted = (event: DragEvent) =>
      latest.current !== null && Array.from(event.dataTransfer.types).includes('Files');
    const leave = () => {
      depth.current = 0;
      setOver(false);
    };
    return {
      onDragEnter: (event: DragEvent) => {
        if (!isWanted(event)) return;
        event.preventDefault();
        depth.current += 1;
        setOver(true);
      },
      onDragOver: (event: DragEvent) => {
        if (!isWanted(event)) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = 'copy';
      },
      onDragLeave: (event: DragEvent) => {
        if (!isWanted(event)) return;
        depth.current -= 1;
        if (depth.current <= 0) leave();
      },
      onDrop: (event: DragEvent) => {
        if (!isWanted(event)) return;
        event.preventDefault();
        leave();
        latest.current?.(event.dataTransfer.files);
      },
    };
  }, [latest]);
  return { isOver, handlers };
}
