-- migrate:up

-- Recent requests of each organisation, as its people look them up: no body, no key of ours, nobody's name. The API
-- writes them behind its answers, and keeps the newest only (store/request_log.py).
CREATE TABLE request_log (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    created_at      timestamptz NOT NULL, -- when the request came
    method          text NOT NULL,
    path            text NOT NULL,
    status          integer NOT NULL,
    duration_ms     integer NOT NULL CHECK (duration_ms >= 0),
    user_agent      text,
    idempotency_key text
);
CREATE INDEX ON request_log (organisation_id, created_at DESC, id DESC);

ALTER TABLE request_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE request_log FORCE ROW LEVEL SECURITY;
CREATE POLICY own_organisation ON request_log USING (organisation_id = current_organisation());

-- migrate:down
