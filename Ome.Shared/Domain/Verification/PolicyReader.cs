using System.Collections.Immutable;
using Ome.Shared.Domain.Models;

namespace Ome.Shared.Domain.Verification;

/// <summary>A policy with a model's annotations over it (design 5). A bad annotation costs only itself: the default holds, and the author is told.</summary>
public static class PolicyReader
{
    // An annotation may hold 256 KiB; what is wrong with it is seen sooner.
    private const int MostOfValue = 64;

    /// <summary>The policy, and each annotation that is not used: its value, what is allowed, and what holds instead.</summary>
    /// <param name="defaults">What holds without annotations.</param>
    /// <param name="annotations">The model's own.</param>
    /// <param name="instead">What holds instead of a bad annotation, in the words of somebody who does not know the agents' defaults; null names <paramref name="defaults"/>.</param>
    public static (VerificationPolicy Policy, ImmutableArray<string> Problems) Read(VerificationPolicy defaults, IntegrityAnnotations annotations, string? instead = null)
    {
        var problems = ImmutableArray.CreateBuilder<string>();
        var policy = defaults with
        {
            Mode = Enumerated(annotations.Mode, defaults.Mode, OmeNames.IntegrityModeAnnotation),
            OnDamage = Enumerated(annotations.OnDamage, defaults.OnDamage, OmeNames.IntegrityOnDamageAnnotation),
            Interval = Duration(annotations.Interval, defaults.Interval, OmeNames.IntegrityIntervalAnnotation),
            DeepMaxAge = Duration(annotations.DeepMaxAge, defaults.DeepMaxAge, OmeNames.IntegrityDeepMaxAgeAnnotation),
        };
        if (policy == defaults || policy.Problems() is not { IsEmpty: false } wrong) return (policy, problems.ToImmutable());
        // Each is well-formed, but not what a policy may be: all timing falls back together, so that no half of a pair is taken.
        problems.AddRange(wrong.Select(problem => $"{Timing(annotations)}: {problem.TrimEnd('.')}; {instead ?? $"{DurationText.Format(defaults.Interval)} and {DurationText.Format(defaults.DeepMaxAge)} are used"}"));
        return (policy with { Interval = defaults.Interval, DeepMaxAge = defaults.DeepMaxAge }, problems.ToImmutable());

        TEnum Enumerated<TEnum>(string? text, TEnum standard, string name)
            where TEnum : struct, Enum
        {
            if (text is null) return standard;
            if (Enum.TryParse<TEnum>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0])) return value;
            problems.Add($"{Named(name, text)}: it must be one of {string.Join(", ", Enum.GetNames<TEnum>())}; {instead ?? $"{standard} is used"}");
            return standard;
        }

        TimeSpan Duration(string? text, TimeSpan standard, string name)
        {
            if (text is null) return standard;
            if (DurationText.TryParse(text, out var value)) return value;
            problems.Add($"{Named(name, text)}: it must be {DurationText.Expected}; {instead ?? $"{DurationText.Format(standard)} is used"}");
            return standard;
        }
    }

    private static string Timing(IntegrityAnnotations annotations)
    {
        var given = new[] { (OmeNames.IntegrityIntervalAnnotation, annotations.Interval), (OmeNames.IntegrityDeepMaxAgeAnnotation, annotations.DeepMaxAge) };
        return string.Join(" and ", given.Where(static one => one.Item2 is not null).Select(static one => Named(one.Item1, one.Item2!)));
    }

    /// <summary>An annotation and its value, for people.</summary>
    public static string Named(string name, string text) => $"annotation {name} is '{(text.Length <= MostOfValue ? text : text[..MostOfValue] + "…")}'";
}
