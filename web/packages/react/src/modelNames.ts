/** What a model is called, which one answers, and why one can't be asked. */
import type { Conversation, Model } from '@prosa/core';
import { fill, type Texts } from './texts.js';

export interface Asked {
  readonly chosen: string | null;
  readonly provider?: string | undefined;
  readonly model?: string | undefined;
  readonly conversation: Conversation | null;
}

/** The id of the model that would answer now: chosen here, set by the host, remembered, or the server's default. */
export function modelInUse(models: readonly Model[], asked: Asked): string | null {
  const { chosen, conversation } = asked;
  if (chosen !== null) return chosen;
  return (
    named(models, asked.provider ?? null, asked.model ?? null) ??
    named(models, conversation?.provider ?? null, conversation?.model ?? null) ??
    models.find(model => model.default)?.id ??
    null
  );
}

function named(models: readonly Model[], provider: string | null, model: string | null): string | null {
  if (model === null) return models.find(each => provider !== null && each.provider === provider)?.id ?? null;
  const whole = provider === null ? model : `${provider}/${model}`;
  const found =
    models.find(each => each.id === whole) ??
    models.find(each => each.model === model && (provider === null || each.provider === provider));
  return found?.id ?? whole;
}

export function nameOf(model: Model): string {
  return model.kind === 'model' ? (model.name ?? model.model) : model.model;
}

/** Whether every word that was typed is in one of the model's names. */
export function isMeant(model: Model, typed: string): boolean {
  const names = `${nameOf(model)} ${model.id} ${model.name ?? ''}`.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every(word => names.includes(word));
}

/** What is worth knowing of a model before it is chosen: why it can't be, that it soon can't, or what it costs. */
export function remarkOf(model: Model, texts: Texts, language: string, today = new Date()): string {
  const { shutdownAt, successor, available, prices } = model;
  const date = shutdownAt === null ? '' : dayOf(shutdownAt, language);
  const instead = successor === null ? '' : ` ${fill(texts.successor, { name: successor })}`;
  const isGone = shutdownAt !== null && shutdownAt <= today.toISOString().slice(0, 10);
  if (isGone) return fill(texts.modelGone, { date }) + instead;
  if (!available) return texts.modelAway;
  if (shutdownAt !== null) return fill(texts.modelGoes, { date }) + instead;
  if (model.kind !== 'model') return model.name ?? '';
  if (prices === null) return '';
  const { input, output } = prices;
  const isFree = Number(input) === 0 && Number(output ?? 0) === 0;
  return isFree ? texts.free : fill(texts.price, { input, output: output ?? input });
}

function dayOf(day: string, language: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString(language, { dateStyle: 'medium', timeZone: 'UTC' });
}
