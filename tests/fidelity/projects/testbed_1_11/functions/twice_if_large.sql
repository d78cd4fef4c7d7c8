case when {{ function('is_large') }}(cents) then cents * 2 else cents end
