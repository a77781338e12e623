using System.Globalization;

namespace Ome.Shared.Domain.Models;

/// <summary>Whether a model belongs on a node, or why not.</summary>
/// <param name="IsSelected">The node stages the model.</param>
/// <param name="WhyNot">A phrase for people when it does not.</param>
public readonly record struct PlacementAnswer(bool IsSelected, string? WhyNot)
{
    internal static PlacementAnswer Yes => new(true, null);

    internal static PlacementAnswer No(string why) => new(false, why);
}

/// <summary>
/// Node selector and required node affinity with the semantics of the Kubernetes scheduler (contract 4.3; OME differs in five places, W23).
/// Preferred terms play no part.
/// </summary>
public static class PlacementRules
{
    private const string NodeNameField = "metadata.name";

    /// <summary>Decides for one model and one node.</summary>
    public static PlacementAnswer Decide(ModelSpec spec, NodeFacts node)
    {
        if (spec.StorageUri.StartsWith("pvc://", StringComparison.Ordinal)) return PlacementAnswer.No("pvc:// models are not staged on nodes");

        foreach (var (key, wanted) in spec.NodeSelector.OrderBy(static pair => pair.Key, StringComparer.Ordinal))
        {
            if (!node.Labels.TryGetValue(key, out var value)) return PlacementAnswer.No($"nodeSelector: the node has no label {key}");
            if (value != wanted) return PlacementAnswer.No($"nodeSelector: label {key} is '{value}', not '{wanted}'");
        }

        if (spec.RequiredTerms is not { } terms) return PlacementAnswer.Yes;
        if (terms.Count == 0) return PlacementAnswer.No("nodeAffinity: an empty list of terms matches no node");

        string? why = null;
        foreach (var term in terms)
        {
            if (WhyNot(term, node) is not { } reason) return PlacementAnswer.Yes;
            why ??= reason;
        }

        return PlacementAnswer.No(terms.Count == 1 ? $"nodeAffinity: {why}" : $"nodeAffinity: none of {terms.Count} terms matches; first: {why}");
    }

    private static string? WhyNot(NodeTerm term, NodeFacts node)
    {
        if (term.Expressions.Count == 0 && term.Fields.Count == 0) return "an empty term matches no node";
        foreach (var requirement in term.Expressions)
        {
            node.Labels.TryGetValue(requirement.Key, out var value);
            if (!LabelMatches(requirement, value)) return Describe(requirement, value);
        }

        foreach (var requirement in term.Fields)
        {
            if (!FieldMatches(requirement, node.Name)) return Describe(requirement, requirement.Key == NodeNameField ? node.Name : null);
        }

        return null;
    }

    private static bool LabelMatches(NodeRequirement requirement, string? value) => requirement.Operator switch
    {
        "In" => requirement.Values.Count > 0 && value is not null && requirement.Values.Contains(value, StringComparer.Ordinal),
        "NotIn" => requirement.Values.Count > 0 && (value is null || !requirement.Values.Contains(value, StringComparer.Ordinal)),
        "Exists" => requirement.Values.Count == 0 && value is not null,
        "DoesNotExist" => requirement.Values.Count == 0 && value is null,
        "Gt" => Compare(requirement, value) > 0,
        "Lt" => Compare(requirement, value) < 0,
        _ => false,
    };

    // Kubernetes knows one field, two operators on it, and one value for each.
    private static bool FieldMatches(NodeRequirement requirement, string nodeName) =>
        requirement.Key == NodeNameField && requirement.Values.Count == 1 && requirement.Operator switch
        {
            "In" => requirement.Values[0] == nodeName,
            "NotIn" => requirement.Values[0] != nodeName,
            _ => false,
        };

    private static int? Compare(NodeRequirement requirement, string? value) =>
        requirement.Values.Count == 1 && Number(value) is { } left && Number(requirement.Values[0]) is { } right ? left.CompareTo(right) : null;

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Describe(NodeRequirement requirement, string? value) =>
        $"{requirement.Key} {requirement.Operator} [{string.Join(", ", requirement.Values.Take(8))}] does not hold, "
        + (value is null ? "the node has no such value" : $"the node has '{value}'");
}
