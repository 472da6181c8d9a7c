/** The models by their providers, those that can't be asked with the reason. */
import type { Model } from '@prosa/core';
import { useEffect, useRef } from 'react';
import { useProsa } from './context.js';
import { Icon } from './Icon.js';
import { nameOf, remarkOf } from './modelNames.js';

export interface ModelListProps {
  readonly id: string;
  readonly models: readonly Model[];
  /** The id of the model that answers now. */
  readonly value: string | null;
  /** The place of the model that Enter would choose. */
  readonly active: number;
  readonly onChoose: (model: Model) => void;
}

interface Group {
  readonly name: string;
  readonly places: readonly number[];
}

export function ModelList({ id, models, value, active, onChoose }: ModelListProps) {
  const { texts, language } = useProsa();
  const list = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the option to be seen is another one then
  useEffect(() => {
    list.current?.querySelector('[data-active="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [active, models.length]);

  const option = (place: number) => {
    const model = models[place];
    if (!model) return null;
    const remark = remarkOf(model, texts, language);
    return (
      // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are heard by the field that has the focus
      // biome-ignore lint/a11y/useFocusableInteractive: the field names the active option
      <div
        key={model.id}
        id={`${id}-${place}`}
        role="option"
        className="prosa-option prosa-model"
        aria-selected={model.id === value}
        aria-disabled={!model.available}
        data-active={place === active}
        title={model.id}
        onClick={() => onChoose(model)}
      >
        <span>{nameOf(model)}</span>
        {model.id === value && <Icon name="check" />}
        {remark !== '' && <small>{remark}</small>}
      </div>
    );
  };
  return (
    <div
      ref={list}
      id={id}
      className="prosa-options prosa-models-list"
      role="listbox"
      aria-label={texts.model}
    >
      {models.length === 0 && <p className="prosa-muted">{texts.noModel}</p>}
      {groupsOf(models, texts.routes).map(({ name, places }) => (
        // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a listbox
        <div key={name} role="group" aria-label={name}>
          <p aria-hidden="true">{name}</p>
          {places.map(option)}
        </div>
      ))}
    </div>
  );
}

function groupsOf(models: readonly Model[], routes: string): readonly Group[] {
  const groups = new Map<string, number[]>();
  for (const [place, model] of models.entries()) {
    const name = model.kind === 'model' ? model.provider : routes;
    const places = groups.get(name);
    if (places) places.push(place);
    else groups.set(name, [place]);
  }
  return Array.from(groups, ([name, places]) => ({ name, places }));
}
