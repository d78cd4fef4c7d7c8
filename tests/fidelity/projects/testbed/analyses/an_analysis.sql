select * from {{ ref('tst_tested') }} where status = '{{ var("cli_word") }}'
