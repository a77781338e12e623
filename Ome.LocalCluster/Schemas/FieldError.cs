namespace Ome.LocalCluster.Schemas;

/// <summary>One field an object is refused for, in kube-apiserver's words.</summary>
/// <param name="Field">Path, e.g. <c>spec.ports[0].name</c>.</param>
/// <param name="Reason">Cause reason, e.g. <c>FieldValueRequired</c>.</param>
/// <param name="Message">What is wrong, e.g. <c>Required value</c>.</param>
public sealed record FieldError(string Field, string Reason, string Message)
{
    /// <summary><c>spec.storage.storageUri: Required value</c>.</summary>
    public override string ToString() => Field.Length == 0 ? Message : $"{Field}: {Message}";

    /// <summary>The entry of <c>Status.details.causes</c>.</summary>
    public StatusCause ToCause() => new(Reason, Message, Field);

    /// <summary>Several errors as one message: alone as it is, else in brackets.</summary>
    public static string Join(IReadOnlyCollection<FieldError> errors) =>
        errors.Count == 1 ? errors.First().ToString() : "[" + string.Join(", ", errors.Select(error => error.ToString())) + "]";

    internal static FieldError Required(string field, string detail = "") => new(field, "FieldValueRequired", "Required value" + Tail(detail));

    internal static FieldError Invalid(string field, string shown, string detail) => new(field, "FieldValueInvalid", "Invalid value: " + shown + Tail(detail));

    internal static FieldError Type(string field, string shown, string detail) => new(field, "FieldValueTypeInvalid", "Invalid value: " + shown + Tail(detail));

    internal static FieldError NotSupported(string field, string shown, IEnumerable<string> supported) =>
        new(field, "FieldValueNotSupported", $"Unsupported value: {shown}: supported values: {string.Join(", ", supported)}");

    internal static FieldError Duplicate(string field, string shown) => new(field, "FieldValueDuplicate", "Duplicate value: " + shown);

    internal static FieldError Forbidden(string field, string detail) => new(field, "FieldValueForbidden", "Forbidden" + Tail(detail));

    internal static FieldError TooLong(string field, string detail) => new(field, "FieldValueTooLong", "Too long" + Tail(detail));

    internal static FieldError TooMany(string field, int actual, int limit) =>
        new(field, "FieldValueTooMany", $"Too many: {actual}: must have at most {limit} items");

    private static string Tail(string detail) => detail.Length == 0 ? "" : ": " + detail;
}
