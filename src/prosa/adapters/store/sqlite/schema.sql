-- What the revisions make of an empty file: written by `python -m tests.schema`.
CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE conversations (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    external_id TEXT,
    title TEXT,
    system_prompt TEXT,
    provider TEXT,
    model TEXT,
    status TEXT NOT NULL,
    head_id TEXT,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL, pinned BOOLEAN DEFAULT 0 NOT NULL, archived BOOLEAN DEFAULT 0 NOT NULL, ticket_id TEXT, title_by TEXT, title_key TEXT, answer_provider TEXT, answer_model TEXT, summary_until BIGINT,
    CONSTRAINT pk_conversations PRIMARY KEY (id),
    CONSTRAINT uq_conversations_user_id_external_id UNIQUE (user_id, external_id)
);
CREATE TABLE messages (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    parent_id TEXT,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    status TEXT NOT NULL,
    run_id TEXT,
    provider TEXT,
    model TEXT,
    created_at BIGINT NOT NULL, parts TEXT, kind TEXT DEFAULT 'message' NOT NULL, tokens TEXT, external_id TEXT, metadata TEXT, cached_at BIGINT,
    CONSTRAINT pk_messages PRIMARY KEY (id),
    CONSTRAINT fk_messages_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE INDEX ix_messages_conversation_id_id ON messages (conversation_id, id);
CREATE TABLE runs (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    conversation_id TEXT NOT NULL,
    user_message_id TEXT,
    message_id TEXT NOT NULL,
    status TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    reason TEXT,
    error_code TEXT,
    error_message TEXT,
    usage TEXT,
    cost BIGINT,
    owner TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT, route TEXT, attempts INTEGER DEFAULT '0' NOT NULL, expires_at BIGINT, checkpoint BLOB, settled INTEGER DEFAULT '0' NOT NULL, context TEXT, first_token_at BIGINT, timings TEXT,
    CONSTRAINT pk_runs PRIMARY KEY (id),
    CONSTRAINT fk_runs_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE INDEX ix_runs_conversation_id ON runs (conversation_id);
CREATE INDEX ix_runs_open ON runs (owner) WHERE ended_at IS NULL;
CREATE TABLE journal (
    id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    first_seq BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    data BLOB NOT NULL,
    CONSTRAINT pk_journal PRIMARY KEY (id),
    CONSTRAINT fk_journal_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
CREATE INDEX ix_journal_run_id_first_seq ON journal (run_id, first_seq);
CREATE TABLE ai_usage (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    conversation_id TEXT,
    run_id TEXT,
    attempt INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_tokens BIGINT NOT NULL,
    completion_tokens BIGINT NOT NULL,
    total_tokens BIGINT NOT NULL,
    cached_tokens BIGINT NOT NULL,
    reasoning_tokens BIGINT NOT NULL,
    cost BIGINT,
    estimated BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL, cache_write_tokens BIGINT DEFAULT '0' NOT NULL, route TEXT, key_id TEXT, price_version TEXT,
    CONSTRAINT pk_ai_usage PRIMARY KEY (id),
    CONSTRAINT uq_ai_usage_run_id_attempt UNIQUE (run_id, attempt)
);
CREATE INDEX ix_ai_usage_spent ON ai_usage (user_id, created_at, total_tokens, cost);
CREATE TABLE reservations (
    run_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    tokens BIGINT NOT NULL,
    cost BIGINT,
    created_at BIGINT NOT NULL, beside BOOLEAN DEFAULT 0 NOT NULL, boot TEXT, taken TEXT,
    CONSTRAINT pk_reservations PRIMARY KEY (run_id)
);
CREATE INDEX ix_reservations_user_id ON reservations (user_id);
CREATE TABLE idempotency (
    user_id TEXT NOT NULL,
    "key" TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    run_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_idempotency PRIMARY KEY (user_id, "key"),
    CONSTRAINT fk_idempotency_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
CREATE INDEX ix_idempotency_run_id ON idempotency (run_id);
CREATE TABLE sign_ins (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    CONSTRAINT pk_sign_ins PRIMARY KEY (id)
);
CREATE TABLE run_steps (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    place INTEGER NOT NULL,
    call_id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    needs TEXT,
    arguments TEXT NOT NULL,
    status TEXT NOT NULL,
    result TEXT,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    CONSTRAINT pk_run_steps PRIMARY KEY (id),
    CONSTRAINT uq_run_steps_run_id_place UNIQUE (run_id, place),
    CONSTRAINT fk_run_steps_run_id FOREIGN KEY(run_id) REFERENCES runs (id) ON DELETE CASCADE
);
CREATE TABLE provider_keys (
    id TEXT NOT NULL,
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    weight INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    hint TEXT NOT NULL,
    sealed BLOB,
    master TEXT,
    created_at BIGINT NOT NULL,
    set_aside_at BIGINT,
    retired_at BIGINT,
    CONSTRAINT pk_provider_keys PRIMARY KEY (id)
);
CREATE INDEX ix_ai_usage_key ON ai_usage (key_id, created_at) WHERE key_id IS NOT NULL;
CREATE INDEX ix_conversations_list ON conversations (user_id, updated_at, id, archived, pinned, status, client_id, answer_provider, answer_model, title_key) WHERE ticket_id IS NULL;
CREATE TABLE search_rows (id INTEGER PRIMARY KEY, message_id TEXT NOT NULL UNIQUE);
CREATE TABLE search_waiting (message_id TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID
    ;
CREATE TABLE search_leaving (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, content TEXT NOT NULL);
CREATE VIRTUAL TABLE search USING fts5(
        scope, content, content='', columnsize=0, tokenize="unicode61 remove_diacritics 2"
    );
CREATE TRIGGER search_written AFTER INSERT ON messages
    WHEN NEW.status <> 'in_progress' AND NEW.content <> ''
    BEGIN
        INSERT OR IGNORE INTO search_waiting VALUES (NEW.id);
    END;
CREATE TRIGGER search_ended AFTER UPDATE OF content, status ON messages
    WHEN OLD.status = 'in_progress' AND NEW.status <> 'in_progress' AND NEW.content <> ''
    BEGIN
        INSERT OR IGNORE INTO search_waiting VALUES (NEW.id);
    END;
CREATE TRIGGER search_rewritten AFTER UPDATE OF content ON messages
    WHEN OLD.status <> 'in_progress' AND OLD.content <> NEW.content
    BEGIN

        INSERT INTO search_leaving
            SELECT id, hex(OLD.user_id) || ' ' || replace(OLD.conversation_id, '-', ''),
                substr(OLD.content, 1, 100000)
            FROM search_rows WHERE message_id = OLD.id;
        DELETE FROM search_rows WHERE message_id = OLD.id;
        DELETE FROM search_waiting WHERE message_id = OLD.id;

        INSERT OR IGNORE INTO search_waiting SELECT NEW.id WHERE NEW.content <> '';
    END;
CREATE TRIGGER search_deleted AFTER DELETE ON messages
    WHEN OLD.status <> 'in_progress' AND OLD.content <> ''
    BEGIN

        INSERT INTO search_leaving
            SELECT id, hex(OLD.user_id) || ' ' || replace(OLD.conversation_id, '-', ''),
                substr(OLD.content, 1, 100000)
            FROM search_rows WHERE message_id = OLD.id;
        DELETE FROM search_rows WHERE message_id = OLD.id;
        DELETE FROM search_waiting WHERE message_id = OLD.id;

    END;
CREATE TABLE files (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    conversation_id TEXT,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    kind TEXT NOT NULL,
    size BIGINT NOT NULL,
    width INTEGER,
    height INTEGER,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_files PRIMARY KEY (id),
    CONSTRAINT fk_files_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
);
CREATE INDEX ix_files_conversation_id ON files (conversation_id);
CREATE INDEX ix_files_used ON files (user_id, size);
CREATE INDEX ix_files_unsent ON files (created_at) WHERE conversation_id IS NULL;
CREATE TABLE attachments (
    message_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    CONSTRAINT pk_attachments PRIMARY KEY (message_id, file_id),
    CONSTRAINT fk_attachments_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE,
    CONSTRAINT fk_attachments_file_id FOREIGN KEY(file_id) REFERENCES files (id) ON DELETE CASCADE
);
CREATE INDEX ix_attachments_file_id ON attachments (file_id);
CREATE TABLE tickets (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    ticket_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    body TEXT NOT NULL,
    run_id TEXT,
    kept_run_id TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT pk_tickets PRIMARY KEY (id),
    CONSTRAINT fk_tickets_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT uq_tickets_user_id_ticket_id UNIQUE (user_id, ticket_id)
);
CREATE INDEX ix_tickets_conversation_id ON tickets (conversation_id);
CREATE INDEX ix_tickets_user_id_updated_at_id ON tickets (user_id, updated_at, id);
CREATE TABLE prompt_templates (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    content TEXT NOT NULL,
    variables TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT pk_prompt_templates PRIMARY KEY (id)
);
CREATE INDEX ix_prompt_templates_user_id_id ON prompt_templates (user_id, id);
CREATE TABLE feedback (
    message_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    thumb TEXT,
    rating INTEGER,
    tags TEXT NOT NULL,
    comment TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT pk_feedback PRIMARY KEY (message_id),
    CONSTRAINT fk_feedback_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
CREATE INDEX ix_feedback_user_id_updated_at_message_id ON feedback (user_id, updated_at, message_id);
CREATE UNIQUE INDEX uq_messages_user_id_external_id ON messages (user_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX ix_messages_parent_id_conversation_id ON messages (parent_id, conversation_id);
CREATE INDEX ix_conversations_user_id_id ON conversations (user_id, id);
CREATE TABLE api_keys (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    name TEXT NOT NULL,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    hash TEXT NOT NULL,
    sealed BLOB,
    master TEXT,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT,
    limits TEXT,
    CONSTRAINT pk_api_keys PRIMARY KEY (id)
);
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id, id);
CREATE TABLE suspensions (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    part TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    CONSTRAINT pk_suspensions PRIMARY KEY (kind, subject)
);
CREATE TABLE audit_log (
    id INTEGER NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    client_id TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    details TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (id)
);
CREATE INDEX ix_audit_log_actor_id ON audit_log (actor, id);
CREATE INDEX ix_audit_log_action_id ON audit_log (action, id);
CREATE INDEX ix_audit_log_at ON audit_log (at);
CREATE TABLE audit_head (
    id INTEGER NOT NULL,
    rows BIGINT NOT NULL,
    hash TEXT NOT NULL, swept BIGINT DEFAULT '0' NOT NULL, swept_hash TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_audit_head PRIMARY KEY (id)
);
CREATE TRIGGER audit_log_changed BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER audit_head_deleted BEFORE DELETE ON audit_head BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TABLE spending (
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    CONSTRAINT pk_spending PRIMARY KEY (scope, subject, since, until)
)
 WITHOUT ROWID

;
CREATE TRIGGER spending_entered AFTER INSERT ON ai_usage BEGIN
UPDATE spending SET tokens = tokens + NEW.total_tokens, cost = cost + coalesce(NEW.cost, 0)
WHERE scope = 'user' AND subject = NEW.user_id AND since <= NEW.created_at AND until > NEW.created_at;
UPDATE spending SET tokens = tokens + NEW.total_tokens, cost = cost + coalesce(NEW.cost, 0)
WHERE scope = 'client' AND subject = NEW.client_id AND since <= NEW.created_at AND until > NEW.created_at;
UPDATE spending SET tokens = tokens + NEW.total_tokens, cost = cost + coalesce(NEW.cost, 0)
WHERE scope = 'everyone' AND subject = '' AND since <= NEW.created_at AND until > NEW.created_at;
END;
CREATE TRIGGER spending_changed AFTER UPDATE OF total_tokens, cost ON ai_usage BEGIN
UPDATE spending SET tokens = tokens + NEW.total_tokens - OLD.total_tokens, cost = cost + coalesce(NEW.cost, 0) - coalesce(OLD.cost, 0)
WHERE scope = 'user' AND subject = NEW.user_id AND since <= NEW.created_at AND until > NEW.created_at;
UPDATE spending SET tokens = tokens + NEW.total_tokens - OLD.total_tokens, cost = cost + coalesce(NEW.cost, 0) - coalesce(OLD.cost, 0)
WHERE scope = 'client' AND subject = NEW.client_id AND since <= NEW.created_at AND until > NEW.created_at;
UPDATE spending SET tokens = tokens + NEW.total_tokens - OLD.total_tokens, cost = cost + coalesce(NEW.cost, 0) - coalesce(OLD.cost, 0)
WHERE scope = 'everyone' AND subject = '' AND since <= NEW.created_at AND until > NEW.created_at;
END;
CREATE TABLE rates (
    "key" TEXT NOT NULL,
    slot BIGINT NOT NULL,
    count BIGINT NOT NULL,
    CONSTRAINT pk_rates PRIMARY KEY ("key", slot)
);
CREATE TABLE places (
    "key" TEXT NOT NULL,
    node TEXT NOT NULL,
    count BIGINT NOT NULL,
    until BIGINT NOT NULL,
    CONSTRAINT pk_places PRIMARY KEY ("key", node)
);
CREATE INDEX ix_reservations_client_id ON reservations (client_id);
CREATE TABLE limits (
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    tokens_per_day BIGINT,
    cost_per_month BIGINT,
    requests_per_minute BIGINT,
    runs_at_once BIGINT,
    sockets BIGINT,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    CONSTRAINT pk_limits PRIMARY KEY (scope, subject)
);
CREATE TABLE alerts (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    period TEXT NOT NULL,
    level INTEGER NOT NULL,
    details TEXT NOT NULL,
    at BIGINT NOT NULL,
    owed TEXT NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    next_at BIGINT,
    delivered_at BIGINT,
    CONSTRAINT pk_alerts PRIMARY KEY (id),
    CONSTRAINT uq_alerts_kind_subject_period_level UNIQUE (kind, subject, period, level)
);
CREATE INDEX ix_alerts_due ON alerts (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE answer_cache (
    id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    client_id TEXT DEFAULT '' NOT NULL,
    "key" TEXT NOT NULL,
    family TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    content TEXT NOT NULL,
    vector BLOB,
    conversation_id TEXT,
    message_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT pk_answer_cache PRIMARY KEY (id),
    CONSTRAINT uq_answer_cache_user_id_key UNIQUE (user_id, "key"),
    CONSTRAINT fk_answer_cache_conversation_id FOREIGN KEY(conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT fk_answer_cache_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);
CREATE INDEX ix_answer_cache_user_id_family_created_at ON answer_cache (user_id, family, created_at);
CREATE INDEX ix_answer_cache_user_id_expires_at ON answer_cache (user_id, expires_at);
CREATE INDEX ix_answer_cache_conversation_id ON answer_cache (conversation_id);
CREATE INDEX ix_answer_cache_message_id ON answer_cache (message_id);
CREATE TABLE erasures (
    id TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT,
    hash TEXT NOT NULL,
    counts TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    erased_at BIGINT,
    holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    CONSTRAINT pk_erasures PRIMARY KEY (id)
);
CREATE UNIQUE INDEX uq_erasures_open ON erasures (scope, subject) WHERE subject IS NOT NULL;
CREATE TABLE duties (
    name TEXT NOT NULL,
    holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL,
    CONSTRAINT pk_duties PRIMARY KEY (name)
);
CREATE INDEX ix_runs_status_created_at_first_token_at_ended_at ON runs (status, created_at, first_token_at, ended_at);
CREATE INDEX ix_messages_created_at_kind_role ON messages (created_at, kind, role);
CREATE INDEX ix_ai_usage_created_at_prompt_tokens_completion_tokens_cost ON ai_usage (created_at, prompt_tokens, completion_tokens, cost);
CREATE INDEX ix_runs_failed ON runs (created_at, error_code, provider, model, ended_at) WHERE error_code IS NOT NULL;
CREATE TABLE model_sums (at BIGINT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, requests BIGINT NOT NULL, prompt_tokens BIGINT NOT NULL, completion_tokens BIGINT NOT NULL, cached_tokens BIGINT NOT NULL, reasoning_tokens BIGINT NOT NULL, cache_write_tokens BIGINT NOT NULL, millions BIGINT NOT NULL, rest BIGINT NOT NULL, estimated BIGINT NOT NULL, unpriced BIGINT NOT NULL, PRIMARY KEY (at, provider, model)) WITHOUT ROWID;
CREATE TABLE user_sums (at BIGINT NOT NULL, user_id TEXT NOT NULL, client_id TEXT NOT NULL, requests BIGINT NOT NULL, prompt_tokens BIGINT NOT NULL, completion_tokens BIGINT NOT NULL, cached_tokens BIGINT NOT NULL, reasoning_tokens BIGINT NOT NULL, cache_write_tokens BIGINT NOT NULL, millions BIGINT NOT NULL, rest BIGINT NOT NULL, estimated BIGINT NOT NULL, unpriced BIGINT NOT NULL, PRIMARY KEY (at, user_id, client_id)) WITHOUT ROWID;
CREATE TRIGGER sums_insert AFTER INSERT ON ai_usage BEGIN INSERT INTO model_sums VALUES (NEW.created_at / 900000000 * 900000000, NEW.provider, NEW.model, 1, NEW.prompt_tokens, NEW.completion_tokens, NEW.cached_tokens, NEW.reasoning_tokens, NEW.cache_write_tokens, coalesce(NEW.cost / 1000000, 0), coalesce(NEW.cost % 1000000, 0), NEW.estimated, (NEW.cost IS NULL)) ON CONFLICT (at, provider, model) DO UPDATE SET requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens, completion_tokens = completion_tokens + excluded.completion_tokens, cached_tokens = cached_tokens + excluded.cached_tokens, reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens, millions = millions + excluded.millions, rest = rest + excluded.rest, estimated = estimated + excluded.estimated, unpriced = unpriced + excluded.unpriced; INSERT INTO user_sums VALUES (NEW.created_at / 86400000000 * 86400000000, NEW.user_id, NEW.client_id, 1, NEW.prompt_tokens, NEW.completion_tokens, NEW.cached_tokens, NEW.reasoning_tokens, NEW.cache_write_tokens, coalesce(NEW.cost / 1000000, 0), coalesce(NEW.cost % 1000000, 0), NEW.estimated, (NEW.cost IS NULL)) ON CONFLICT (at, user_id, client_id) DO UPDATE SET requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens, completion_tokens = completion_tokens + excluded.completion_tokens, cached_tokens = cached_tokens + excluded.cached_tokens, reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens, millions = millions + excluded.millions, rest = rest + excluded.rest, estimated = estimated + excluded.estimated, unpriced = unpriced + excluded.unpriced;  END;
CREATE TRIGGER sums_update AFTER UPDATE ON ai_usage BEGIN UPDATE model_sums SET requests = requests - 1, prompt_tokens = prompt_tokens - OLD.prompt_tokens, completion_tokens = completion_tokens - OLD.completion_tokens, cached_tokens = cached_tokens - OLD.cached_tokens, reasoning_tokens = reasoning_tokens - OLD.reasoning_tokens, cache_write_tokens = cache_write_tokens - OLD.cache_write_tokens, millions = millions - coalesce(OLD.cost / 1000000, 0), rest = rest - coalesce(OLD.cost % 1000000, 0), estimated = estimated - OLD.estimated, unpriced = unpriced - (OLD.cost IS NULL) WHERE at = OLD.created_at / 900000000 * 900000000 AND provider = OLD.provider AND model = OLD.model; DELETE FROM model_sums WHERE at = OLD.created_at / 900000000 * 900000000 AND provider = OLD.provider AND model = OLD.model AND requests = 0; UPDATE user_sums SET requests = requests - 1, prompt_tokens = prompt_tokens - OLD.prompt_tokens, completion_tokens = completion_tokens - OLD.completion_tokens, cached_tokens = cached_tokens - OLD.cached_tokens, reasoning_tokens = reasoning_tokens - OLD.reasoning_tokens, cache_write_tokens = cache_write_tokens - OLD.cache_write_tokens, millions = millions - coalesce(OLD.cost / 1000000, 0), rest = rest - coalesce(OLD.cost % 1000000, 0), estimated = estimated - OLD.estimated, unpriced = unpriced - (OLD.cost IS NULL) WHERE at = OLD.created_at / 86400000000 * 86400000000 AND user_id = OLD.user_id AND client_id = OLD.client_id; DELETE FROM user_sums WHERE at = OLD.created_at / 86400000000 * 86400000000 AND user_id = OLD.user_id AND client_id = OLD.client_id AND requests = 0; INSERT INTO model_sums VALUES (NEW.created_at / 900000000 * 900000000, NEW.provider, NEW.model, 1, NEW.prompt_tokens, NEW.completion_tokens, NEW.cached_tokens, NEW.reasoning_tokens, NEW.cache_write_tokens, coalesce(NEW.cost / 1000000, 0), coalesce(NEW.cost % 1000000, 0), NEW.estimated, (NEW.cost IS NULL)) ON CONFLICT (at, provider, model) DO UPDATE SET requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens, completion_tokens = completion_tokens + excluded.completion_tokens, cached_tokens = cached_tokens + excluded.cached_tokens, reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens, millions = millions + excluded.millions, rest = rest + excluded.rest, estimated = estimated + excluded.estimated, unpriced = unpriced + excluded.unpriced; INSERT INTO user_sums VALUES (NEW.created_at / 86400000000 * 86400000000, NEW.user_id, NEW.client_id, 1, NEW.prompt_tokens, NEW.completion_tokens, NEW.cached_tokens, NEW.reasoning_tokens, NEW.cache_write_tokens, coalesce(NEW.cost / 1000000, 0), coalesce(NEW.cost % 1000000, 0), NEW.estimated, (NEW.cost IS NULL)) ON CONFLICT (at, user_id, client_id) DO UPDATE SET requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens, completion_tokens = completion_tokens + excluded.completion_tokens, cached_tokens = cached_tokens + excluded.cached_tokens, reasoning_tokens = reasoning_tokens + excluded.reasoning_tokens, cache_write_tokens = cache_write_tokens + excluded.cache_write_tokens, millions = millions + excluded.millions, rest = rest + excluded.rest, estimated = estimated + excluded.estimated, unpriced = unpriced + excluded.unpriced;  END;
CREATE TRIGGER sums_delete AFTER DELETE ON ai_usage BEGIN UPDATE model_sums SET requests = requests - 1, prompt_tokens = prompt_tokens - OLD.prompt_tokens, completion_tokens = completion_tokens - OLD.completion_tokens, cached_tokens = cached_tokens - OLD.cached_tokens, reasoning_tokens = reasoning_tokens - OLD.reasoning_tokens, cache_write_tokens = cache_write_tokens - OLD.cache_write_tokens, millions = millions - coalesce(OLD.cost / 1000000, 0), rest = rest - coalesce(OLD.cost % 1000000, 0), estimated = estimated - OLD.estimated, unpriced = unpriced - (OLD.cost IS NULL) WHERE at = OLD.created_at / 900000000 * 900000000 AND provider = OLD.provider AND model = OLD.model; DELETE FROM model_sums WHERE at = OLD.created_at / 900000000 * 900000000 AND provider = OLD.provider AND model = OLD.model AND requests = 0; UPDATE user_sums SET requests = requests - 1, prompt_tokens = prompt_tokens - OLD.prompt_tokens, completion_tokens = completion_tokens - OLD.completion_tokens, cached_tokens = cached_tokens - OLD.cached_tokens, reasoning_tokens = reasoning_tokens - OLD.reasoning_tokens, cache_write_tokens = cache_write_tokens - OLD.cache_write_tokens, millions = millions - coalesce(OLD.cost / 1000000, 0), rest = rest - coalesce(OLD.cost % 1000000, 0), estimated = estimated - OLD.estimated, unpriced = unpriced - (OLD.cost IS NULL) WHERE at = OLD.created_at / 86400000000 * 86400000000 AND user_id = OLD.user_id AND client_id = OLD.client_id; DELETE FROM user_sums WHERE at = OLD.created_at / 86400000000 * 86400000000 AND user_id = OLD.user_id AND client_id = OLD.client_id AND requests = 0;  END;
CREATE TRIGGER audit_log_deleted BEFORE DELETE ON audit_log
    WHEN OLD.id > coalesce((SELECT swept FROM audit_head), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
INSERT INTO alembic_version VALUES ('0023');
