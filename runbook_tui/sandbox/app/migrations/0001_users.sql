create table users (
    id bigint generated always as identity primary key,
    email text not null unique,
    password text not null,
    role text not null default 'member' check (role in ('member', 'admin')),
    created_at timestamptz not null default now()
);
