using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Reflection;
using Ome.Shared.Domain;

namespace Ome.Shared.Settings;

/// <summary>One property of an options class as a setting: read from text, checked, shown.</summary>
public sealed class Setting
{
    private readonly PropertyInfo _property;

    private Setting(PropertyInfo property, FlagAttribute flag)
    {
        _property = property;
        Flag = flag;
    }

    public FlagAttribute Flag { get; }

    public bool IsSwitch => Type == typeof(bool);

    private Type Type => Nullable.GetUnderlyingType(_property.PropertyType) ?? _property.PropertyType;

    /// <summary>The settings of an options class, in the order of declaration.</summary>
    public static IReadOnlyList<Setting> Of([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] Type options) =>
        [.. options.GetProperties()
            .Select(property => (property, flag: property.GetCustomAttribute<FlagAttribute>()))
            .Where(pair => pair.flag is not null).OrderBy(pair => pair.flag!.Line).Select(pair => new Setting(pair.property, pair.flag!))];

    /// <summary>Sets the property from text; returns what is wrong with the text, or null.</summary>
    public string? Set(object options, string text)
    {
        var (value, expected) = Parse(text);
        if (expected is not null) return $"--{Flag.Name} is '{Shown(text)}': it must be {expected}";
        _property.SetValue(options, value);
        return Check(options) is { } problem ? $"--{Flag.Name} is '{Shown(text)}': it {problem}" : null;
    }

    /// <summary>What is wrong with the present value, or null.</summary>
    public string? Check(object options)
    {
        var value = _property.GetValue(options);
        foreach (var rule in _property.GetCustomAttributes<ValidationAttribute>())
        {
            if (rule is RequiredAttribute && (value is null or "")) return "is required";
            if (!rule.IsValid(value)) return Describe(rule) is { } range ? "must be " + range : rule.FormatErrorMessage(Flag.Name);
        }

        return null;
    }

    /// <summary>The present value as it would be written on the command line; empty for none.</summary>
    public string Text(object options) => _property.GetValue(options) switch
    {
        null => "",
        _ when Flag.IsSecret => "(secret)",
        TimeSpan duration => DurationText.Format(duration),
        bool on => on ? "true" : "false",
        long bytes when Flag.IsBytes && bytes > 0 => ByteText.Format(bytes).Replace(" ", "", StringComparison.Ordinal),
        IEnumerable<string> list => string.Join(',', list),
        var other => Convert.ToString(other, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>The allowed values for people: <c>from 1s to 1h</c>, <c>Basic, Deep or Off</c>; empty when anything of the type goes.</summary>
    public string Range()
    {
        if (Type.IsEnum) return string.Join(", ", Enum.GetNames(Type));
        return string.Join("; ", _property.GetCustomAttributes<ValidationAttribute>().Select(Describe).OfType<string>());
    }

    private static string? Describe(ValidationAttribute rule) => rule switch
    {
        DurationRangeAttribute range => $"from {range.Minimum} to {range.Maximum}",
        RangeAttribute { Maximum: >= 9e18 } range => $"from {range.Minimum}",
        RangeAttribute range => $"from {range.Minimum} to {range.Maximum}",
        AllowedValuesAttribute allowed => "one of " + string.Join(", ", allowed.Values),
        RequiredAttribute => "required",
        _ => null,
    };

    private string Shown(string text) => Flag.IsSecret ? "(secret)" : text.Length <= 100 ? text : text[..100] + "…";

    private (object? Value, string? Expected) Parse(string text)
    {
        if (Type == typeof(string)) return (text, null);
        if (Type == typeof(TimeSpan)) return DurationText.TryParse(text, out var duration) ? (duration, null) : (null, DurationText.Expected);
        if (Type == typeof(bool)) return text switch { "true" or "1" or "" => (true, null), "false" or "0" => (false, null), _ => (null, "true or false") };
        if (Type == typeof(long) && Flag.IsBytes) return ByteText.TryParse(text, out var bytes) ? (bytes, null) : (null, ByteText.Expected);
        if (Type == typeof(int)) return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? (number, null) : (null, "a whole number");
        if (Type == typeof(long)) return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? (number, null) : (null, "a whole number");
        if (Type == typeof(double)) return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? (number, null) : (null, "a number");
        if (Type.IsEnum) return Enum.TryParse(Type, text, ignoreCase: true, out var member) && Enum.IsDefined(Type, member) ? (member, null) : (null, "one of " + Range());
        if (typeof(IReadOnlyList<string>).IsAssignableFrom(Type)) return (text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), null);
        throw new InvalidOperationException($"A setting cannot have the type {Type}.");
    }
}
