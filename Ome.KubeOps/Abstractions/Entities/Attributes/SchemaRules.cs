namespace KubeOps.Abstractions.Entities.Attributes;

/// <summary>
/// On a property: its name joins the parent's <c>required</c>. On a spec class, or on any direct property of it: <c>spec</c>
/// itself becomes required.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class)]
public class RequiredAttribute : Attribute;

/// <summary>The regular expression a text must match (RE2 syntax, as the API server reads it).</summary>
[AttributeUsage(AttributeTargets.Property)]
public class PatternAttribute(string regexPattern) : Attribute
{
    public string RegexPattern => regexPattern;
}

/// <summary>Bounds of a text's length in characters; -1 leaves a bound out.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class LengthAttribute(long minLength = -1, long maxLength = -1) : Attribute
{
    public long? MinLength => Bound.OrNull(minLength);

    public long? MaxLength => Bound.OrNull(maxLength);
}

/// <summary>Bounds of a list's length; -1 leaves a bound out.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class ItemsAttribute(long minItems = -1, long maxItems = -1) : Attribute
{
    public long? MinItems => Bound.OrNull(minItems);

    public long? MaxItems => Bound.OrNull(maxItems);
}

/// <summary>Bounds of the number of an object's properties; -1 leaves a bound out.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class PropertyLimitsAttribute(long minProperties = -1, long maxProperties = -1) : Attribute
{
    public long? MinProperties => Bound.OrNull(minProperties);

    public long? MaxProperties => Bound.OrNull(maxProperties);
}

/// <summary>The least value of a number.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class RangeMinimumAttribute(double minimum, bool exclusiveMinimum = false) : Attribute
{
    public double Minimum => minimum;

    public bool ExclusiveMinimum => exclusiveMinimum;
}

/// <summary>The greatest value of a number.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class RangeMaximumAttribute(double maximum, bool exclusiveMaximum = false) : Attribute
{
    public double Maximum => maximum;

    public bool ExclusiveMaximum => exclusiveMaximum;
}

/// <summary>The number every value is a multiple of.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class MultipleOfAttribute(double value) : Attribute
{
    public double Value => value;
}

/// <summary>Refused by the transpiler, as by the API server; a set is <c>[XListType(XListType.Set)]</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public class UniqueItemsAttribute : Attribute;

/// <summary>The format in the schema; null removes the one that follows from the type.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FormatAttribute(string? format) : Attribute
{
    public string? Format => format;
}

/// <summary>A CEL rule (<c>x-kubernetes-validations</c>).</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Class, AllowMultiple = true)]
public sealed class ValidationRuleAttribute(
    string rule, string? fieldPath = null, string? message = null, string? messageExpression = null, string? reason = null) : Attribute
{
    public string Rule => rule;

    public string? FieldPath => fieldPath;

    public string? Message => message;

    public string? MessageExpression => messageExpression;

    public string? Reason => reason;
}

internal static class Bound
{
    internal static long? OrNull(long value) => value == -1 ? null : value;
}
