using System.Text.RegularExpressions;

namespace KubeOps.Transpiler;

/// <summary>Kubernetes' order of API versions: v2, v1, v1beta2, v1beta1, v1alpha1; other names come after, by letters.</summary>
internal sealed partial class KubernetesVersionOrder : IComparer<string>
{
    public int Compare(string? x, string? y)
    {
        var byNumbers = Rank(x!).CompareTo(Rank(y!));
        return byNumbers != 0 ? byNumbers : string.CompareOrdinal(y, x);
    }

    private static (int Stage, int Major, int Minor) Rank(string name)
    {
        var match = Pattern().Match(name);
        if (!match.Success) return (-1, 0, 0);
        var stage = match.Groups["stage"].Value switch { "alpha" => 0, "beta" => 1, _ => 2 };
        return (stage, Number(match.Groups["major"]), Number(match.Groups["minor"]));
    }

    private static int Number(Group group) => group.Success && int.TryParse(group.Value, out var number) ? number : 0;

    [GeneratedRegex("^v(?<major>[0-9]+)((?<stage>alpha|beta)(?<minor>[0-9]+))?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
