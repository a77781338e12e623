using System.Collections.Immutable;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Integrity;

/// <summary>The agent's policy with a model's annotations over it (design 5). A bad annotation costs only itself: the default holds, and the author is told.</summary>
public static class PolicyReader
{
    public static (VerificationPolicy Policy, ImmutableArray<string> Problems) Read(VerificationPolicy defaults, IntegrityAnnotations annotations)
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
        problems.AddRange(wrong.Select(problem => $"the integrity annotations are not used: {problem}"));
        return (policy with { Interval = defaults.Interval, DeepMaxAge = defaults.DeepMaxAge }, problems.ToImmutable());

        TEnum Enumerated<TEnum>(string? text, TEnum standard, string name)
            where TEnum : struct, Enum
        {
            if (text is null) return standard;
            if (Enum.TryParse<TEnum>(text, ignoreCase: true, out var value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0])) return value;
            problems.Add($"annotation {name} is '{text}': it must be one of {string.Join(", ", Enum.GetNames<TEnum>())}");
            return standard;
        }

        TimeSpan Duration(string? text, TimeSpan standard, string name)
        {
            if (text is null) return standard;
            if (DurationText.TryParse(text, out var value)) return value;
            problems.Add($"annotation {name} is '{text}': it must be {DurationText.Expected}");
            return standard;
        }
    }
}
