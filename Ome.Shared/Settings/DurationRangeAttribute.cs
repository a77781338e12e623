using System.ComponentModel.DataAnnotations;
using Ome.Shared.Domain;

namespace Ome.Shared.Settings;

/// <summary>Smallest and largest duration of a setting, as text: <c>[DurationRange("1s", "1h")]</c>.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class DurationRangeAttribute(string minimum, string maximum) : ValidationAttribute
{
    public string Minimum { get; } = minimum;

    public string Maximum { get; } = maximum;

    public override bool IsValid(object? value) => value is not TimeSpan duration || (duration >= Parse(Minimum) && duration <= Parse(Maximum));

    public override string FormatErrorMessage(string name) => $"must be from {Minimum} to {Maximum}";

    private static TimeSpan Parse(string text) =>
        DurationText.TryParse(text, out var duration) ? duration : throw new InvalidOperationException($"'{text}' is no duration.");
}
