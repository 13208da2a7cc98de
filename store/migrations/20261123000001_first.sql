-- migrate:up

-- Tenancy is enforced here and nowhere else: every table with an organisation_id has a policy that shows only the
-- rows of the organisation the transaction was opened for (store/database.py). Without one, a query fails.
CREATE FUNCTION current_organisation() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT current_setting('checkout.organisation')::uuid $$;

-- The attempt that made a key of ours, a page's, a charge's or a refund's; null for any other key (checkout/ids.py).
CREATE FUNCTION attempt_of(key text) RETURNS integer LANGUAGE sql IMMUTABLE
    AS $$ SELECT substring(key from '^[0-9a-f-]{36}/([0-9]{1,9})/')::integer $$;

-- By which rules due payments are collected is written by checkout/due.py's DueRules, what is let in by
-- checkout/door.py's DoorRules.
CREATE TABLE organisations (
    id           uuid PRIMARY KEY,
    name         text NOT NULL,
    time_zone    text NOT NULL DEFAULT 'UTC',
    dunning_days integer[] NOT NULL DEFAULT '{1,3,5,7}'
        CHECK (cardinality(dunning_days) <= 10 AND 1 <= ALL (dunning_days) AND 60 >= ALL (dunning_days)),
    notice_days  integer NOT NULL DEFAULT 3 CHECK (notice_days BETWEEN 0 AND 60),
    rate_limit   integer NOT NULL DEFAULT 2000 CHECK (rate_limit BETWEEN 1 AND 1000000), -- of each key, a second
    redirect_hosts text[] NOT NULL DEFAULT '{}' -- none: anywhere
        CHECK (cardinality(redirect_hosts) <= 100 AND array_position(redirect_hosts, NULL) IS NULL),
    gateway      text NOT NULL DEFAULT 'sandbox',
    gateway_account text, -- of its own at the gateway, where one set of credentials serves several
    created_at   timestamptz NOT NULL DEFAULT now()
);

-- Where an organisation took money before it chose another gateway or account: a payment may still arrive there.
CREATE TABLE former_gateways (
    organisation_id uuid NOT NULL REFERENCES organisations,
    gateway         text NOT NULL,
    gateway_account text,
    until           timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (organisation_id, gateway, gateway_account)
);

CREATE TABLE api_keys (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    prefix          text NOT NULL,
    hash            bytea NOT NULL UNIQUE,
    scope           text NOT NULL CHECK (scope IN ('merchant', 'operator', 'admin')),
    name            text, -- what people call it
    created_at      timestamptz NOT NULL DEFAULT now(),
    revoked_at      timestamptz
);

CREATE TABLE business_entities (
    id               uuid PRIMARY KEY,
    organisation_id  uuid NOT NULL REFERENCES organisations,
    name             text NOT NULL,
    country_code     text NOT NULL,
    default_currency text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, id)
);

CREATE TABLE customers (
    id                 uuid PRIMARY KEY,
    organisation_id    uuid NOT NULL REFERENCES organisations,
    business_entity_id uuid,
    customer_name      text NOT NULL,
    email              text,
    external_id        text,
    phone_number       text,
    address            jsonb,
    tax_info           jsonb NOT NULL DEFAULT '[]',
    custom_data        jsonb,
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'archived')),
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, id),
    FOREIGN KEY (organisation_id, business_entity_id) REFERENCES business_entities (organisation_id, id)
);
CREATE UNIQUE INDEX one_active_customer_per_email ON customers (organisation_id, lower(email)) WHERE status = 'active';

-- Which session used which customer, and whether it made it: undo archives only what it made and nobody else uses.
CREATE TABLE customer_links (
    organisation_id uuid NOT NULL,
    session_id      uuid NOT NULL,
    customer_id     uuid NOT NULL,
    created         boolean NOT NULL,
    attempt         integer NOT NULL,
    undone          boolean NOT NULL DEFAULT false,
    PRIMARY KEY (session_id, customer_id),
    FOREIGN KEY (organisation_id, customer_id) REFERENCES customers (organisation_id, id)
);
CREATE INDEX ON customer_links (customer_id);

-- How far a session's guests are undone: a creation of that attempt that arrives later is refused.
CREATE TABLE customer_undos (
    organisation_id uuid NOT NULL REFERENCES organisations,
    session_id      uuid PRIMARY KEY,
    through         integer NOT NULL
);

CREATE TABLE payment_methods (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    customer_id     uuid NOT NULL,
    gateway         text NOT NULL,
    gateway_account text,
    token           text NOT NULL,
    type            text NOT NULL CHECK (type IN ('card', 'bank_transfer', 'wallet', 'invoice')),
    brand           text,
    last4           text,
    expiry_month    integer,
    expiry_year     integer,
    is_default      boolean NOT NULL DEFAULT false,
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'removed')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, id),
    FOREIGN KEY (organisation_id, customer_id) REFERENCES customers (organisation_id, id)
);
CREATE INDEX ON payment_methods (organisation_id, created_at);
CREATE UNIQUE INDEX one_default_method_per_customer ON payment_methods (customer_id)
    WHERE is_default AND status = 'active';

CREATE TABLE products (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    name            text NOT NULL,
    unit            text,
    description     text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, id)
);

CREATE TABLE pricings (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    product_id      uuid NOT NULL,
    content         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, id),
    FOREIGN KEY (organisation_id, product_id) REFERENCES products (organisation_id, id)
);

CREATE TABLE plans (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    name            text NOT NULL,
    currency        text NOT NULL,
    status          text NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    version         integer NOT NULL DEFAULT 1,
    content         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, id)
);

-- What was priced, once and for all: the contract's content, its prices and the estimate. Never changed.
CREATE TABLE contents (
    organisation_id uuid NOT NULL REFERENCES organisations,
    estimation_id   text NOT NULL,
    content         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organisation_id, estimation_id)
);

-- What people wrote (a guest's details, URLs, notes, reasons): kept out of histories, changed only by erasure.
CREATE TABLE details (
    id              uuid NOT NULL,
    organisation_id uuid NOT NULL REFERENCES organisations,
    session_id      uuid NOT NULL,
    details         jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organisation_id, id)
);
CREATE INDEX ON details (session_id);

CREATE TABLE contracts (
    id              uuid PRIMARY KEY,
    organisation_id uuid NOT NULL,
    session_id      uuid NOT NULL,
    attempt         integer NOT NULL,
    customer_id     uuid CHECK (customer_id IS NOT NULL OR status = 'void'),
    estimation_id   text NOT NULL,
    currency        text NOT NULL,
    name            text,
    start_date      date NOT NULL,
    end_date        date,
    status          text NOT NULL CHECK (status IN ('draft', 'active', 'void', 'expired')),
    created_at      timestamptz NOT NULL DEFAULT now(),
    activated_at    timestamptz,
    voided_at       timestamptz,
    UNIQUE (organisation_id, id),
    UNIQUE (session_id, attempt),
    FOREIGN KEY (organisation_id, customer_id) REFERENCES customers (organisation_id, id),
    FOREIGN KEY (organisation_id, estimation_id) REFERENCES contents (organisation_id, estimation_id)
);
CREATE UNIQUE INDEX one_contract_in_force_per_session ON contracts (session_id) WHERE status = 'active';

-- Each charge, page and refund, under the key it has at the gateway: the one that its organisation used when the key was
-- first posted, or that its payment method is of.
CREATE TABLE payments (
    key             text PRIMARY KEY,
    organisation_id uuid NOT NULL REFERENCES organisations,
    session_id      uuid NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('charge', 'refund')),
    amount_minor    bigint NOT NULL CHECK (amount_minor >= 0),
    currency        text NOT NULL,
    status          text NOT NULL CHECK (status IN ('pending', 'unknown', 'captured', 'declined', 'refunded')),
    gateway         text NOT NULL,
    gateway_account text,
    reference       text, -- the gateway's own
    payment_method_id uuid, -- what a charge's key was first used with, so that each repetition charges the same
    at              timestamptz NOT NULL,
    expires_at      timestamptz, -- of a page: fixed by the first request, so that each repetition asks the same
    settled_at      timestamptz
);
CREATE INDEX ON payments (organisation_id, session_id);
CREATE INDEX ON payments (organisation_id, settled_at);

-- The view: written by the workflow only, with a version that can only grow. *state* is checkout/session.py's
-- SessionState; *policy* the rules it was opened with, *run_id* the workflow run that wrote it last; the other
-- columns are what lists filter and order by.
CREATE TABLE checkout_sessions (
    id                      uuid PRIMARY KEY,
    organisation_id         uuid NOT NULL REFERENCES organisations,
    version                 integer NOT NULL,
    checkout_session_status text NOT NULL,
    payment_status          text NOT NULL,
    customer_id             uuid,
    contract_id             uuid,
    guest_checkout          boolean NOT NULL,
    business_entity_id      uuid,
    currency                text NOT NULL,
    needs_attention         boolean NOT NULL,
    goes_on                 boolean NOT NULL, -- SessionState.goes_on
    state                   jsonb NOT NULL,
    policy                  jsonb NOT NULL,
    run_id                  text NOT NULL,
    created_at              timestamptz NOT NULL,
    confirmed_at            timestamptz,
    paid_at                 timestamptz,
    last_activity_at        timestamptz NOT NULL,
    due_at                  timestamptz
);
CREATE INDEX ON checkout_sessions (organisation_id, created_at DESC, id DESC);
CREATE INDEX ON checkout_sessions (organisation_id, last_activity_at);
CREATE INDEX ON checkout_sessions (organisation_id, id) WHERE goes_on OR needs_attention;
CREATE INDEX ON checkout_sessions (organisation_id, customer_id)
    WHERE checkout_session_status = 'completed' AND payment_status IN ('pending', 'failed');

-- One row per change, numbered without gaps; *state* is the session as it was at that moment. *run_sequence* is the
-- number that the workflow run itself gave it: another one where a reset run did not know what came after.
CREATE TABLE session_events (
    organisation_id uuid NOT NULL REFERENCES organisations,
    session_id      uuid NOT NULL,
    sequence        integer NOT NULL,
    type            text NOT NULL,
    actor           text NOT NULL,
    data            jsonb NOT NULL,
    state           jsonb NOT NULL,
    at              timestamptz NOT NULL,
    run_id          text NOT NULL,
    run_sequence    integer NOT NULL,
    update_id       text, -- of the request that made the change, where one did
    fingerprint     text NOT NULL,
    PRIMARY KEY (session_id, sequence),
    UNIQUE (session_id, run_id, run_sequence)
);

CREATE INDEX ON session_events (session_id, update_id) WHERE update_id IS NOT NULL;

-- Answers to requests with an Idempotency-Key, written with their effect (sessions keep theirs in the workflow).
CREATE TABLE idempotency_keys (
    organisation_id uuid NOT NULL REFERENCES organisations,
    call            text NOT NULL,
    key             text NOT NULL,
    fingerprint     text NOT NULL,
    status          integer NOT NULL,
    answer          jsonb NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organisation_id, call, key)
);

-- Events in: stored before they are acknowledged, once per id, then passed on as a hint. What they say about people
-- and amounts is not kept: it is not believed anyway. Those without a session concern nobody here.
CREATE TABLE gateway_events (
    gateway         text NOT NULL,
    id              text NOT NULL,
    type            text NOT NULL,
    organisation_id uuid,
    session_id      uuid,
    key             text,
    captured        boolean NOT NULL,
    received_at     timestamptz NOT NULL DEFAULT now(),
    tried_at        timestamptz, -- when the reconciler last looked for its session: those that waited longest come first
    passed_on_at    timestamptz,
    PRIMARY KEY (gateway, id)
);
CREATE INDEX ON gateway_events (received_at) WHERE passed_on_at IS NULL AND session_id IS NOT NULL;

-- Whether somebody is being asked about a payment to see to at the gateway, or has seen to it: once is enough.
CREATE FUNCTION asked_about(session uuid, key text) RETURNS boolean LANGUAGE sql STABLE
    AS $$
        SELECT EXISTS (SELECT 1 FROM checkout_sessions view, jsonb_array_elements(view.state -> 'asks') asked
                       WHERE view.id = $1 AND asked ->> 'key' = $2)
            OR EXISTS (SELECT 1 FROM session_events event
                       WHERE event.session_id = $1 AND event.type = 'checkout_session.acknowledged'
                         AND event.data ->> 'key' = $2)
    $$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['business_entities', 'customers', 'customer_links', 'customer_undos', 'payment_methods', 'products',
        'pricings', 'plans', 'contents', 'details', 'contracts', 'payments', 'checkout_sessions', 'session_events',
        'idempotency_keys', 'former_gateways']
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY own_organisation ON %I USING (organisation_id = current_organisation())', t);
    END LOOP;
END $$;

-- migrate:down
