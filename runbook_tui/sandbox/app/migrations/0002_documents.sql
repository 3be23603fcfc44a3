create table documents (
    id bigint generated always as identity primary key,
    owner bigint not null references users (id),
    name text not null,
    content bytea not null,
    sha256 text not null,
    created_at timestamptz not null default now()
);
