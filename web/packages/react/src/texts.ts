/** Every sentence that the components say, in English and in Portuguese. */

const en = {
  conversation: 'Conversation',
  messageLabel: 'Message',
  placeholder: 'Write a message…',
  send: 'Send',
  stop: 'Stop',
  stopping: 'Stopping…',
  latest: 'Latest',
  latestLabel: 'Go to the latest message',
  copy: 'Copy',
  copied: 'Copied',
  copyCode: 'Copy code',
  edit: 'Edit',
  editing: 'Editing an earlier message. What followed stays in its own branch.',
  cancel: 'Cancel',
  retry: 'Try again',
  regenerate: 'Answer again',
  dismiss: 'Dismiss',
  startOver: 'New conversation',
  previousBranch: 'Previous version',
  nextBranch: 'Next version',
  you: 'You said:',
  assistant: 'Answer:',
  writing: 'Writing an answer…',
  thinking: 'Thinking…',
  thoughts: 'Thoughts',
  using: 'Using {name}…',
  queued: 'Waiting in line, place {place}…',
  reconnecting: 'Connection lost. Reconnecting…',
  answered: 'The answer is complete.',
  incomplete: 'This answer is not complete.',
  loading: 'Loading the conversation…',
  loadingOlder: 'Loading earlier messages…',
  taskDone: 'Done',
  taskOpen: 'To do',
  image: 'Image: {name}',
  imageUnnamed: 'no description',
  closed: 'This conversation is closed.',
  greeting: 'What shall we talk about?',
  network: 'The server cannot be reached. Check the connection.',
};

export type Texts = typeof en;

const pt: Texts = {
  conversation: 'Conversa',
  messageLabel: 'Mensagem',
  placeholder: 'Escreva uma mensagem…',
  send: 'Enviar',
  stop: 'Parar',
  stopping: 'Parando…',
  latest: 'Mais recente',
  latestLabel: 'Ir para a mensagem mais recente',
  copy: 'Copiar',
  copied: 'Copiado',
  copyCode: 'Copiar código',
  edit: 'Editar',
  editing: 'Editando uma mensagem anterior. O que veio depois fica em outro ramo.',
  cancel: 'Cancelar',
  retry: 'Tentar de novo',
  regenerate: 'Responder de novo',
  dismiss: 'Dispensar',
  startOver: 'Nova conversa',
  previousBranch: 'Versão anterior',
  nextBranch: 'Próxima versão',
  you: 'Você disse:',
  assistant: 'Resposta:',
  writing: 'Escrevendo a resposta…',
  thinking: 'Pensando…',
  thoughts: 'Raciocínio',
  using: 'Usando {name}…',
  queued: 'Na fila, posição {place}…',
  reconnecting: 'Conexão perdida. Reconectando…',
  answered: 'A resposta está completa.',
  incomplete: 'Esta resposta não está completa.',
  loading: 'Carregando a conversa…',
  loadingOlder: 'Carregando mensagens anteriores…',
  taskDone: 'Feito',
  taskOpen: 'A fazer',
  image: 'Imagem: {name}',
  imageUnnamed: 'sem descrição',
  closed: 'Esta conversa está encerrada.',
  greeting: 'Vamos prosear sobre o quê?',
  network: 'Não foi possível falar com o servidor. Verifique a conexão.',
};

/** The texts for a language tag such as `pt-BR`; English where there are none. */
export function textsFor(language: string): Texts {
  return /^pt\b/i.test(language) ? pt : en;
}

/** Puts values into a sentence: `fill('Using {name}…', { name: 'search' })`. */
export function fill(sentence: string, values: Readonly<Record<string, string | number>>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
