namespace KubeOps.Abstractions.Entities.Attributes;

/// <summary>The closed set of values; all of one type, which must fit the property's.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class EnumValuesAttribute : Attribute
{
    public EnumValuesAttribute(params string[] values) => Values = values;

    public EnumValuesAttribute(params long[] values) => Values = Array.ConvertAll(values, value => (object)value);

    public EnumValuesAttribute(params double[] values) => Values = Array.ConvertAll(values, value => (object)value);

    public IReadOnlyList<object> Values { get; }
}

/// <summary>The value the API server fills in when the field is absent.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class, Inherited = true)]
public sealed class DefaultValueAttribute : Attribute
{
    public DefaultValueAttribute(bool value) => Value = value;

    public DefaultValueAttribute(long value) => Value = value;

    public DefaultValueAttribute(double value) => Value = value;

    public DefaultValueAttribute(string value) => Value = value;

    public object Value { get; }

    /// <summary>Gets a value indicating whether the text is JSON: for objects, lists and null.</summary>
    public bool Json { get; init; }
}

/// <summary>An example value in the schema.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ExampleAttribute : Attribute
{
    public ExampleAttribute(bool value) => Value = value;

    public ExampleAttribute(long value) => Value = value;

    public ExampleAttribute(double value) => Value = value;

    public ExampleAttribute(string value) => Value = value;

    public object Value { get; }

    /// <summary>Gets a value indicating whether the text is JSON.</summary>
    public bool Json { get; init; }
}
