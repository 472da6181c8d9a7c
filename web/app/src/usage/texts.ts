/** Every sentence of the panel of one's own usage, in English and in Portuguese. */

const en = {
  title: 'Usage this month',
  loading: 'Loading…',
  retry: 'Try again',
  cost: 'Cost',
  tokens: 'Tokens',
  messages: 'Messages',
  tokensLeft: 'Tokens left today',
  costLeft: 'Left this month',
  byModel: 'By model',
  model: 'Model',
  nothing: 'Nothing was used yet.',
  unpriced: 'Without a known price, and in no sum: {count}',
  estimated: 'With estimated tokens: {count}',
  csv: 'Download as CSV',
};

export type UsageTexts = typeof en;

const pt: UsageTexts = {
  title: 'Uso neste mês',
  loading: 'Carregando…',
  retry: 'Tentar de novo',
  cost: 'Custo',
  tokens: 'Tokens',
  messages: 'Mensagens',
  tokensLeft: 'Tokens restantes hoje',
  costLeft: 'Resta neste mês',
  byModel: 'Por modelo',
  model: 'Modelo',
  nothing: 'Nada foi usado ainda.',
  unpriced: 'Sem preço conhecido, e em nenhuma soma: {count}',
  estimated: 'Com tokens estimados: {count}',
  csv: 'Baixar como CSV',
};

export function usageTexts(language: string): UsageTexts {
  return /^pt\b/i.test(language) ? pt : en;
}
