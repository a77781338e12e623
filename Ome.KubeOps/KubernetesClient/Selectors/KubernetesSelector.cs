using System.Diagnostics.CodeAnalysis;

namespace KubeOps.KubernetesClient.Selectors;

/// <summary>A selector in words; converts to the text the API server reads.</summary>
public abstract record KubernetesSelector
{
    [SuppressMessage("Usage", "CA2225:Operator overloads have named alternates", Justification = "ToString is the record's own; the public face is KubeOps'")]
    public static implicit operator string(KubernetesSelector selector) => selector.ToExpression();

    protected abstract string ToExpression();
}

/// <summary>A selector over labels.</summary>
public abstract record LabelSelector : KubernetesSelector;

/// <summary>The label has one of the values.</summary>
public record EqualsLabelSelector(string Label, params string[] Values) : LabelSelector
{
    protected override string ToExpression() => $"{Label} in ({string.Join(',', Values)})";
}

/// <summary>The label is absent or has none of the values.</summary>
public record NotEqualsLabelSelector(string Label, params string[] Values) : LabelSelector
{
    protected override string ToExpression() => $"{Label} notin ({string.Join(',', Values)})";
}

/// <summary>The label is there.</summary>
public record ExistsLabelSelector(string Label) : LabelSelector
{
    protected override string ToExpression() => Label;
}

/// <summary>The label is absent.</summary>
public record NotExistsLabelSelector(string Label) : LabelSelector
{
    protected override string ToExpression() => '!' + Label;
}

/// <summary>A selector over fields.</summary>
public abstract record FieldSelector : KubernetesSelector;

/// <summary>The field has the value.</summary>
public record EqualsFieldSelector(string Field, string Value) : FieldSelector
{
    protected override string ToExpression() => $"{Field}={Value}";
}

/// <summary>The field has another value.</summary>
public record NotEqualsFieldSelector(string Field, string Value) : FieldSelector
{
    protected override string ToExpression() => $"{Field}!={Value}";
}

/// <summary>Selectors in a row: all of them must hold.</summary>
public static class SelectorExtensions
{
    public static string ToExpression(this IEnumerable<LabelSelector> selectors) => Join(selectors);

    public static string ToExpression(this IEnumerable<FieldSelector> selectors) => Join(selectors);

    internal static (string? Labels, string? Fields) Split(this IReadOnlyCollection<KubernetesSelector> selectors) =>
        (NullIfEmpty(selectors.OfType<LabelSelector>().ToExpression()), NullIfEmpty(selectors.OfType<FieldSelector>().ToExpression()));

    private static string Join(IEnumerable<KubernetesSelector> selectors) => string.Join(',', selectors.Select(selector => (string)selector));

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
