cents >= {{ var('large_cents', 1000) }}
