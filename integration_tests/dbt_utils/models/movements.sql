{{ dbt_utils.union_relations(relations=[ref('orders'), ref('refunds')], exclude=['customer_id'], source_column_name=none) }}
